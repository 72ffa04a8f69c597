"""Two versions of a resource share a service, and deprecated operations announce their end."""

from flask import Flask

from api.versions import v1, v2
from api.versions.service import SpecimenService
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.flow.controllers import mount
from chassis.openapi.document import operations


class VersionsTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        app: Flask = self.client.application
        [api] = app.extensions["flask-smorest"]["apis"].values()
        service = SpecimenService()
        for version in (v1, v2):
            mount(api["ext_obj"], version.blueprint(service), "prefix", version.__name__[-2:])

    def test_both_versions_are_served_by_one_service(self) -> None:
        old = self.client.post("/prefix/v1/specimens", json={"text": "x"})
        new = self.client.post("/prefix/v2/specimens", json={"label": "y"})
        self.assertEqual((old.status_code, new.status_code), (201, 201), old.text + new.text)
        self.assertEqual(new.headers["Location"], f"/prefix/v2/specimens/{new.get_json()['id']}")
        both = [old.get_json()["id"], new.get_json()["id"]]
        for version, field in (("v1", "text"), ("v2", "label")):
            found = [
                self.client.get(f"/prefix/{version}/specimens/{one}").get_json() for one in both
            ]
            self.assertEqual([specimen[field] for specimen in found], ["x", "y"])

    def test_a_version_takes_its_own_fields_only(self) -> None:
        for version, body in (("v1", {"label": "x"}), ("v2", {"text": "x"})):
            with self.subTest(version):
                response = self.client.post(f"/prefix/{version}/specimens", json=body)
                self.assert_problem(response, 422, "validation")

    def test_names_of_the_first_version_are_not_changed_by_the_second(self) -> None:
        document = self.client.get("/openapi.json").get_json()
        names = {path: operation["operationId"] for path, _, operation in operations(document)}
        self.assertEqual(names["/prefix/v1/specimens/{specimen_id}"], "read_specimen")
        self.assertEqual(names["/prefix/v2/specimens/{specimen_id}"], "read_specimen_v2")
        self.assertLessEqual({"Specimen", "SpecimenV2"}, document["components"]["schemas"].keys())

    @shows("API9:2023")
    def test_a_deprecated_operation_says_so(self) -> None:
        path = self.client.get("/openapi.json").get_json()["paths"]["/prefix/v1/specimens"]["post"]
        self.assertTrue(path["deprecated"])
        self.assertEqual(path["x-sunset"], "2026-07-01")
        self.assertLessEqual({"Deprecation", "Sunset"}, path["responses"]["201"]["headers"].keys())
        for body, status in (({"text": "x"}, 201), ({}, 422)):
            with self.subTest(status):
                response = self.client.post("/prefix/v1/specimens", json=body)
                self.assertEqual(response.status_code, status)
                self.assertEqual(response.headers["Deprecation"], "@1767225600")
                self.assertEqual(response.headers["Sunset"], "Wed, 01 Jul 2026 00:00:00 GMT")

    def test_another_operation_says_nothing(self) -> None:
        response = self.client.post("/prefix/v2/specimens", json={"label": "x"})
        self.assertFalse({"Deprecation", "Sunset"} & set(response.headers.keys()))
