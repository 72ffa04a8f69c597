from support.command_line import CommandLineTestCase

MISCONFIGURED, MISUSED = 78, 2
KEY = "a key of the tests' own, long enough"


class TokenTest(CommandLineTestCase):
    def test_it_is_printed_for_development(self) -> None:
        result = self.manage("token", "--for", "10m", ENVIRONMENT="development", SECRET_KEY=KEY)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertEqual(result.stdout.count("."), 2)

    def test_it_is_refused_where_it_would_be_no_good(self) -> None:
        for settings, reason in (
            ({"ENVIRONMENT": "production"}, "in development only"),
            ({"ENVIRONMENT": "development", "SECRET_KEY": ""}, "SECRET_KEY is not set"),
            (
                {
                    "ENVIRONMENT": "development",
                    "JWT_JWKS_URL": "https://issuer.example.org/keys",
                    "JWT_ISSUER": "https://issuer.example.org",
                    "JWT_AUDIENCE": "tests",
                },
                "JWT_JWKS_URL is set",
            ),
        ):
            with self.subTest(reason):
                result = self.manage("token", **{"SECRET_KEY": KEY, **settings})
                self.assert_stops(result, MISCONFIGURED, reason)

    def test_what_no_operation_needs_is_refused_with_what_there_is(self) -> None:
        for arguments, reason in (
            (["--scope", "nothing:write"], "maintenance:write"),
            (["--subject", " "], "empty"),
            (["--for", "soon"], "duration"),
        ):
            with self.subTest(arguments):
                result = self.manage("token", *arguments, ENVIRONMENT="development", SECRET_KEY=KEY)
                self.assertEqual(result.exit_code, MISUSED)
                self.assertIn(reason, result.output)
