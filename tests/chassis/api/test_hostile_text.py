"""Text that is code elsewhere (SQL, HTML, templates) stays text on its way in and out."""

from api.specimens import SPECIMENS, SpecimenApiTestCase
from chassis.development.testing.security_table import shows

CODE = (
    "'; DROP TABLE x; --",
    "') OR 1=1 --",
    "%(id)s %s :id $1 ?",
    "{{7*7}} ${7*7} {id}",
    "__import__('os')",
    "</script><b>&lt;",
    '"}, {"id": "',
    "%41%2541\\u0041\\n",
    "$(id) `id` | id; id",
)


class HostileTextTest(SpecimenApiTestCase):
    @shows("V1.1.1", "V1.2.3", "V1.2.4", "V1.3.2")
    def test_it_comes_back_as_it_went_in(self) -> None:
        for text in CODE:
            with self.subTest(text):
                made = self.create(text)
                read = self.client.get(made.headers["Location"])
                self.assertEqual((made.get_json()["text"], read.get_json()["text"]), (text, text))
        self.assertEqual(self.texts(), sorted(CODE))

    @shows("V1.1.1")
    def test_an_address_is_decoded_once(self) -> None:
        path = self.create().headers["Location"]
        for hyphen, status in (("%2d", 200), ("%252d", 404)):
            with self.subTest(hyphen):
                self.assertEqual(self.client.get(path.replace("-", hyphen)).status_code, status)

    @shows("API3:2023", "V15.3.1")
    def test_only_declared_fields_are_given(self) -> None:
        made = self.create("x")
        self.assertEqual(made.get_json().keys(), {"id", "text"})  # The entity has more.
        self.assertEqual(self.client.get(f"{SPECIMENS}/{made.get_json()['id']}").data, made.data)
