from tests.support.application import HttpTestCase
from tests.support.security import shows

OURS, OTHER = "https://app.example.org", "https://evil.example.org"
ALLOWED = "Access-Control-Allow-Origin"


class CorsTest(HttpTestCase):
    def allowed(self, origin: str) -> str | None:
        return self.client.get("/health/live", headers={"Origin": origin}).headers.get(ALLOWED)

    @shows("API8:2023", "V3.4.2")
    def test_no_origin_is_allowed_by_default(self) -> None:
        self.assertIsNone(self.allowed(OURS))

    @shows("V3.4.2")
    def test_only_a_listed_origin_is_allowed(self) -> None:
        self.client = self.start(cors_origins=[OURS])
        self.assertEqual(self.allowed(OURS), OURS)
        self.assertIsNone(self.allowed(OTHER))
