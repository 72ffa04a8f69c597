from chassis.development.testing.http_cases import config

CONFIG = config()
