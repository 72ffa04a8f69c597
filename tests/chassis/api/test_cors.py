from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.flow.read_your_writes import READ_AFTER_HEADER
from support.configuration import CONFIG

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

    @shows("V3.4.2")
    def test_an_origin_may_have_any_scheme_and_is_taken_to_the_letter(self) -> None:
        listed = [
            "capacitor://localhost",
            "http://[::1]:3000",
            "chrome-extension://abc",
            "https://a.b",
        ]
        self.client = self.start(cors_origins=listed)
        for origin in listed:
            self.assertEqual(self.allowed(origin), origin)
        for origin in (
            *("http://::3000", "http://::1:3000", "http://[::1]:30000", "capacitor://localhostx"),
            *(
                "https://a.b.evil",
                "https://aXb",
                "https://a.b:443",
                "xhttps://a.b",
                "null",
                "https://",
            ),
        ):
            self.assertIsNone(self.allowed(origin), origin)

    def test_pages_may_read_the_headers_that_an_api_answers_with(self) -> None:
        self.client = self.start(cors_origins=[OURS])
        headers = self.client.get("/health/live", headers={"Origin": OURS}).headers
        exposed = set(headers["Access-Control-Expose-Headers"].split(", "))
        self.assertLessEqual({"ETag", "Sunset", "X-RateLimit-Remaining"}, exposed)

    def test_where_there_is_a_replica_pages_may_read_how_far_a_write_was(self) -> None:
        self.client = self.start(cors_origins=[OURS], database_read_url=CONFIG.database_url)
        headers = self.client.get("/health/live", headers={"Origin": OURS}).headers
        self.assertIn(READ_AFTER_HEADER, headers["Access-Control-Expose-Headers"])
