from tests.support.application import HttpTestCase


class OpenApiTest(HttpTestCase):
    def test_it_names_this_service_and_its_operations(self) -> None:
        document = self.client.get("/openapi.json").get_json()
        self.assertEqual(document["openapi"], "3.1.0")
        self.assertEqual(
            document["info"], {"title": "tests", "version": "1.2.3", "description": "Tested."}
        )
        self.assertIn("/health/ready", document["paths"])

    def test_every_operation_documents_problems(self) -> None:
        document = self.client.get("/openapi.json").get_json()
        for path, operations in document["paths"].items():
            for method in operations.keys() - {"parameters"}:
                with self.subTest(f"{method} {path}"):
                    self.assertIn("default", operations[method]["responses"])
        answer = document["components"]["responses"]["DEFAULT_ERROR"]
        self.assertEqual(list(answer["content"]), ["application/problem+json"])

    def test_the_page_and_its_assets_come_from_here(self) -> None:
        page = self.client.get("/docs").text
        self.assertNotRegex(page, "https?://")
        for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"):
            with self.subTest(asset):
                self.assertIn(f"/docs/assets/{asset}", page)
                response = self.client.get(f"/docs/assets/{asset}")
                self.assertEqual(response.status_code, 200)
                response.close()
