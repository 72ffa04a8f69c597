# ruff: noqa: RUF012  # As Django's documentation has it.
from django.urls import include, path
from django_filters import rest_framework as filters
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import CursorPagination
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

from proofs.django_gauges.models import Gauge, Site, State

SORTED = (
    *("text", "number", "price", "enabled", "day", "at", "moment", "state", "created_at"),
    *("maybe_text", "maybe_number", "maybe_price", "maybe_enabled", "maybe_day"),
    *("maybe_at", "maybe_moment", "maybe_state"),
)


class SiteSerializer(ModelSerializer):
    class Meta:
        model = Site
        fields = "__all__"


class GaugeSerializer(ModelSerializer):
    class Meta:
        model = Gauge
        fields = "__all__"


class GaugeFilter(filters.FilterSet):
    text_prefix = filters.CharFilter("text", "startswith")
    email = filters.CharFilter("email", "iexact")
    has_text = filters.BooleanFilter("maybe_text", "isnull", exclude=True)
    site_name = filters.CharFilter("site__name")
    site_names = filters.BaseInFilter("site__name", "in")
    state = filters.MultipleChoiceFilter(choices=State.choices)
    number_from = filters.NumberFilter("number", "gte")
    number_to = filters.NumberFilter("number", "lte")
    price_from = filters.NumberFilter("price", "gte")
    price_to = filters.NumberFilter("price", "lte")
    day_from = filters.DateFilter("day", "gte")
    day_to = filters.DateFilter("day", "lte")
    at_from = filters.TimeFilter("at", "gte")
    at_to = filters.TimeFilter("at", "lte")
    moment_from = filters.IsoDateTimeFilter("moment", "gte")
    moment_to = filters.IsoDateTimeFilter("moment", "lte")
    enabled = filters.BooleanFilter("enabled")


class Pages(CursorPagination):
    ordering = "created_at"
    page_size_query_param = "limit"
    max_page_size = 100


class SiteViewSet(ModelViewSet):
    queryset = Site.objects.all()
    serializer_class = SiteSerializer
    pagination_class = None


class GaugeViewSet(ModelViewSet):
    queryset = Gauge.objects.all()
    serializer_class = GaugeSerializer
    pagination_class = Pages
    filter_backends = [filters.DjangoFilterBackend, OrderingFilter]
    filterset_class = GaugeFilter
    ordering_fields = SORTED


router = SimpleRouter(trailing_slash=False)
router.register("sites", SiteViewSet)
router.register("gauges", GaugeViewSet)
urlpatterns = [path("my_service/v1/", include(router.urls))]
