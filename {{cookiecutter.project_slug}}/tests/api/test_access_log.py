from chassis.settings import DEVELOPMENT
from tests.support.lines import LogTestCase
from tests.support.security import shows
from tests.support.tokens import bearer

WINDOWS = "/ops/maintenance/windows"


class AccessLogTest(LogTestCase):
    @shows("V16.3.1", "V16.3.2")
    def test_who_is_let_in_and_who_is_not_is_logged(self) -> None:
        self.client = self.start(environment=DEVELOPMENT)  # Its tokens are ours to make.
        app = self.client.application
        for token, found in (
            ("Bearer x", ("status=401", "subject=None")),
            (bearer(app, "other:read", subject="alice"), ("status=403", "subject=alice")),
            (bearer(app, subject="bob"), ("status=422", "subject=bob")),
        ):
            with self.subTest(found):
                self.forget()
                self.client.post(WINDOWS, json={}, headers={"Authorization": token})
                [line] = self.text.splitlines()
                for part in ("method=POST", f"route={WINDOWS}", *found):
                    self.assertIn(part, line)
