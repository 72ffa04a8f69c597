"""Django REST framework, as in https://www.django-rest-framework.org/tutorial/quickstart/.

The application is one module instead of five, and has no sessions, users or browsable pages,
because the comparison needs none.
"""

import os
from typing import Any

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    APPEND_SLASH=False,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],  # libpq reads the other variables.
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="of no use here",
    USE_TZ=True,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models, transaction  # noqa: E402
from django.urls import include, path  # noqa: E402
from identity import uuid7  # noqa: E402
from rest_framework import mixins, status  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.exceptions import APIException  # noqa: E402
from rest_framework.pagination import CursorPagination, LimitOffsetPagination  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.routers import SimpleRouter  # noqa: E402
from rest_framework.serializers import ModelSerializer  # noqa: E402
from rest_framework.viewsets import GenericViewSet  # noqa: E402


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class Todo(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7)
    title = models.CharField(max_length=200)
    completed_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta:
        app_label = "api"
        db_table = "todos"


class TodoSerializer(ModelSerializer):
    class Meta:
        model = Todo
        fields = ("id", "title", "completed_at", "version")
        read_only_fields = ("id", "completed_at", "version")


class TodoPagination(CursorPagination):
    ordering = "id"
    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next": self.get_next_link()})


class CountedPagination(LimitOffsetPagination):
    default_limit = 20
    max_limit = 100

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "total": self.count})


class TodoViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet,
):
    http_method_names = ("get", "post", "patch")
    lookup_value_regex = "[0-9a-f-]{36}"
    pagination_class = TodoPagination
    queryset = Todo.objects.all()
    serializer_class = TodoSerializer

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": self.reverse_action("detail", [data["id"]])}

    @transaction.atomic
    def create(self, *arguments: Any, **options: Any) -> Response:
        return super().create(*arguments, **options)

    @transaction.atomic
    def update(self, *arguments: Any, **options: Any) -> Response:
        return super().update(*arguments, **options)

    def perform_update(self, serializer: Any) -> None:
        todo = serializer.instance
        unchanged = Todo.objects.filter(pk=todo.pk, version=todo.version)
        todo.version += 1
        todo.title = serializer.validated_data.get("title", todo.title)
        if unchanged.update(title=todo.title, version=todo.version) != 1:
            raise Conflict


class CountedViewSet(mixins.ListModelMixin, GenericViewSet):
    pagination_class = CountedPagination
    queryset = Todo.objects.order_by("id")
    serializer_class = TodoSerializer


@api_view()
def ping(_request: Any) -> Response:
    return Response({"status": "ok"})


router = SimpleRouter(trailing_slash=False)
router.register("todos", TodoViewSet)
router.register("counted-todos", CountedViewSet, "counted")
urlpatterns = [path("health/live", ping), path("", include(router.urls))]
app = get_wsgi_application()
