"""`GET /` leads people and programs to the document and the operations."""

from chassis.development.testing.http_cases import HttpTestCase


class IndexTest(HttpTestCase):
    def test_it_names_the_service_and_leads_to_what_describes_it(self) -> None:
        response = self.client.get("/")
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.content_type, "application/json")
        links = {
            "service-doc": "/docs",
            "service-desc": "/openapi.json",
            "status": "/health/ready",
        }
        self.assertEqual(
            response.get_json(), {"name": "The Tests", "version": "1.2.3", "links": links}
        )
        for path in links.values():
            with self.subTest(path):
                self.assertNotEqual(self.client.get(path).status_code, 404)

    def test_it_is_as_strict_as_every_route(self) -> None:
        read = self.client.get("/")
        head = self.client.head("/")
        self.assertEqual((head.status_code, head.text), (200, ""))
        for name in ("Content-Length", "Content-Type", "Cache-Control"):
            self.assertEqual(head.headers[name], read.headers[name])
        self.assertEqual(self.client.options("/").status_code, 200)
        self.assert_problem(self.client.get("/?unknown=1"), 400, "invalid-query")
        response = self.client.post("/")
        self.assert_problem(response, 405, "method-not-allowed")
        self.assertIn("GET", response.headers["Allow"])

    def test_the_links_hold_below_a_mount_point(self) -> None:
        response = self.client.get("/", environ_overrides={"SCRIPT_NAME": "/below"})
        self.assertEqual(response.get_json()["links"]["service-doc"], "/below/docs")

    def test_it_describes_the_document_and_is_not_in_it(self) -> None:
        self.assertNotIn("/", self.client.get("/openapi.json").get_json()["paths"])
