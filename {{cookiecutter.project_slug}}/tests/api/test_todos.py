from uuid import uuid4

from chassis.development.testing.http_cases import ApplicationTestCase

TODOS = "/prefix/v1/todos"


class TodosTest(ApplicationTestCase):
    def create(self, title: str = "x") -> str:
        """Returns the new todo's path."""
        response = self.client.post(TODOS, json={"title": title})
        self.assertEqual(response.status_code, 201, response.text)
        return response.headers["Location"]

    def test_a_created_todo_is_read_back(self) -> None:
        path = self.create("Läuft „gut“ 🎉")
        todo = self.client.get(path).get_json()
        self.assertEqual(path, f"{TODOS}/{todo['id']}")
        self.assertEqual(todo["title"], "Läuft „gut“ 🎉")
        self.assertEqual((todo["completed_at"], todo["version"]), (None, 1))

    def test_a_title_has_1_to_200_characters(self) -> None:
        self.create("x" * 200)
        for title in ("", "x" * 201):
            with self.subTest(length=len(title)):
                response = self.client.post(TODOS, json={"title": title})
                self.assert_problem(response, 422, "validation")

    def test_only_its_title_is_taken(self) -> None:
        for name in ("id", "version", "completed_at"):
            with self.subTest(name):
                response = self.client.post(TODOS, json={"title": "x", name: None})
                self.assert_problem(response, 422, "validation")

    def test_a_change_is_stored(self) -> None:
        path = self.create("before")
        self.assertEqual(self.client.patch(path, json={"title": "after"}).status_code, 200)
        todo = self.client.get(path).get_json()
        self.assertEqual((todo["title"], todo["version"]), ("after", 2))

    def test_it_is_completed_once(self) -> None:
        path = self.create()
        self.assertIsNotNone(self.client.post(f"{path}/complete").get_json()["completed_at"])
        self.assert_problem(self.client.post(f"{path}/complete"), 409, "conflict")

    def test_a_deleted_todo_is_gone(self) -> None:
        path = self.create()
        self.assertEqual(self.client.delete(path).status_code, 204)
        self.assert_problem(self.client.get(path), 404, "not-found")
        self.assert_problem(self.client.delete(path), 404, "not-found")

    def test_an_unknown_todo_is_not_found(self) -> None:
        self.assert_problem(self.client.get(f"{TODOS}/{uuid4()}"), 404, "not-found")
        self.assert_problem(self.client.get(f"{TODOS}/1"), 404, "not-found")

    def test_todos_are_listed(self) -> None:
        paths = [self.create(title) for title in "abc"]
        todos = self.client.get(TODOS).get_json()["items"]
        self.assertCountEqual([f"{TODOS}/{todo['id']}" for todo in todos], paths)
