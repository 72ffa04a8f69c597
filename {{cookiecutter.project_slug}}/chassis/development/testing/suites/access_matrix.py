"""Every operation admits the callers that it declares, and rejects all others."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import uuid4

from chassis.core.errors import AuthenticationError, DomainError, ForbiddenError
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import AnyOf, operations
from chassis.http.output.problem_table import problem_table

Refusal = type[DomainError]
NOT_AUTHENTICATED: Refusal = AuthenticationError
NOT_ALLOWED: Refusal = ForbiddenError
SAFE = {"GET", "HEAD"}


class AccessMatrixSuite(HttpTestCase):
    """Runs without a database: an admitted request is any that gets no 401 or 403."""

    # Deliberately public changes: ("POST", "/prefix/v1/subscriptions").
    public_changes: ClassVar[set[tuple[str, str]]] = set()

    def test_nothing_is_changed_without_a_scope(self) -> None:
        changing = [one for one in operations(self.client.application) if one[1] not in SAFE]
        self.assertTrue(changing)
        for _, method, path, view in changing:
            with self.subTest(method=method, path=path):
                self.assertTrue(view.access_policy or (method, path) in self.public_changes)

    @shows("API5:2023", "V8.2.1", "V8.3.1", "V10.3.2")
    def test_every_operation_serves_the_callers_that_it_declares_and_nobody_else(self) -> None:
        table = problem_table(self.client.application)
        refusals = [table.of_error(one)[0] for one in (NOT_AUTHENTICATED, NOT_ALLOWED)]
        for endpoint, method, path, view in operations(self.client.application):
            for caller, authorization, refusal in self.callers(view.access_policy):
                with self.subTest(endpoint=endpoint, method=method, caller=caller):
                    headers = {"Authorization": authorization}
                    answer = self.client.open(self.example(path), method=method, headers=headers)
                    if refusal is None:
                        self.assertNotIn(answer.status_code, refusals, answer.text)
                    else:
                        status, _ = table.of_error(refusal)
                        self.assertEqual(answer.status_code, status, answer.text)

    @shows("API9:2023", "V8.1.1")
    def test_the_document_says_what_each_needs(self) -> None:
        paths = self.client.get("/openapi.json").get_json()["paths"]
        for _, method, path, view in operations(self.client.application):
            if view.access_policy and method != "HEAD":
                operation = paths[re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)][method.lower()]
                declared = [name for one in operation["security"] for name in one["bearer"]]
                self.assertEqual(frozenset(declared), view.access_policy, path)
                alternatives = len(declared) if isinstance(view.access_policy, AnyOf) else 1
                self.assertEqual(len(operation["security"]), alternatives, path)

    def callers(self, policy: frozenset[str] | None) -> Iterator[tuple[str, str, Refusal | None]]:
        """Each caller with a token and the error of its rejection; None if admitted."""
        app, scopes = self.client.application, frozenset(policy or ())
        yield "nobody", "", NOT_AUTHENTICATED if scopes else None
        yield "any subject", bearer(app, "other:read"), NOT_ALLOWED if scopes else None
        yield "with its scopes", bearer(app, *scopes, "other:read"), None
        for scope in scopes:
            if isinstance(policy, AnyOf):
                yield f"with {scope} alone", bearer(app, scope), None
                continue
            yield f"without {scope}", bearer(app, "other:read", *scopes - {scope}), NOT_ALLOWED

    def example(self, path: str) -> str:
        """The path with a value for each parameter."""
        rules = self.client.application.url_map.iter_rules()
        converters: dict[str, Any] = next(r for r in rules if r.rule == path)._converters
        for name, converter in converters.items():
            texts = (str(uuid4()), "1", "x")
            fits = next(text for text in texts if re.fullmatch(converter.regex, text))
            path = re.sub(rf"<(?:[^<>]*:)?{name}>", fits, path)
        return path
