# ruff: noqa: RUF012  # As Django's documentation has it.
import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class Site(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=20, unique=True)


class State(models.TextChoices):
    DRAFT = "draft"
    OPEN = "open"


class Gauge(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    text = models.CharField(max_length=20)
    notes = models.TextField(max_length=10_000, null=True)
    number = models.IntegerField(validators=[MinValueValidator(0), MaxValueValidator(1_000_000)])
    big = models.BigIntegerField()
    price = models.DecimalField(max_digits=6, decimal_places=2)
    enabled = models.BooleanField()
    day = models.DateField()
    at = models.TimeField()
    moment = models.DateTimeField()
    code = models.UUIDField()
    email = models.EmailField(unique=True)
    page = models.URLField(max_length=2000)
    state = models.CharField(max_length=10, choices=State.choices)
    more = models.JSONField()
    words = ArrayField(models.CharField(max_length=200), size=3)
    numbers = ArrayField(models.IntegerField(), size=3, null=True)
    site = models.ForeignKey(Site, models.SET_NULL, null=True)
    maybe_text = models.CharField(max_length=20, null=True)
    maybe_number = models.IntegerField(null=True)
    maybe_price = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    maybe_enabled = models.BooleanField(null=True)
    maybe_day = models.DateField(null=True)
    maybe_at = models.TimeField(null=True)
    maybe_moment = models.DateTimeField(null=True)
    maybe_state = models.CharField(max_length=10, choices=State.choices, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=0, number__lte=1_000_000), name="gauge_number"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="gauge_state"),
        ]
        indexes = [
            models.Index(fields=[name, "id"])
            for name in (
                *("text", "number", "price", "enabled", "day", "at", "moment", "state"),
                *("maybe_text", "maybe_number", "maybe_price", "maybe_enabled", "maybe_day"),
                *("maybe_at", "maybe_moment", "maybe_state"),
            )
        ]
