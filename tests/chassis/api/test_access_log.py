from datetime import timedelta

from chassis.development.testing.bearer import bearer
from chassis.development.testing.security_table import shows
from chassis.settings import DEVELOPMENT
from support.lines import LogTestCase

WINDOWS = "/ops/maintenance/windows"


class AccessLogTest(LogTestCase):
    @shows("V16.3.1", "V16.3.2")
    def test_who_is_let_in_and_who_is_not_is_logged(self) -> None:
        self.client = self.start(environment=DEVELOPMENT)  # So the test can sign tokens.
        app = self.client.application
        for token, found in (
            ("Bearer x", ("status=401", "subject=None")),
            (bearer(app, "other:read", subject="alice"), ("status=403", "subject=alice")),
            (bearer(app, subject="bob"), ("status=422", "subject=bob")),
        ):
            with self.subTest(found):
                self.forget()
                self.client.post(WINDOWS, json={}, headers={"Authorization": token})
                line = self.text.splitlines()[-1]
                for part in ("method=POST", f"route={WINDOWS}", *found):
                    self.assertIn(part, line)

    @shows("V16.2.1", "V16.2.5", "V16.3.2")
    def test_a_refused_token_has_a_line_with_the_kind_and_the_request_and_nothing_else(
        self,
    ) -> None:
        self.client = self.start(environment=DEVELOPMENT)
        app = self.client.application
        good = bearer(app)
        for token, kind in (
            ("Bearer x", "malformed"),
            ("Basic x", "no bearer token"),
            (f"{good[:-9]}AAAAAAAAA", "signature"),
            (bearer(app, audience="other"), "audience"),
            (bearer(app, lasts=timedelta(minutes=-1)), "expired"),
            (bearer(app, subject="\0"), "subject"),
        ):
            for path in ("/health/live", WINDOWS):
                with self.subTest(kind=kind, path=path):
                    self.forget()
                    answer = self.client.post(path, headers={"Authorization": token})
                    refused = self.text.splitlines()[0]
                    self.assertRegex(refused, f"A token is rejected.*refusal='?{kind}'?")
                    self.assertIn(answer.headers["X-Request-ID"], refused)
                    self.assertNotIn(token.split()[1][:40], refused.replace("expired", ""))
                    self.assertNotIn(kind, answer.text)
