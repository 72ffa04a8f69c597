"""Finds the route of a path that was matched before, without Werkzeug's search.

Only routes without a variable, or with one UUID at their end, are remembered. Werkzeug matches
everything else, and each of these routes once for each method.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from werkzeug.routing import Map, MapAdapter, Rule, RuleFactory, UUIDConverter

ENABLED = True  # Tests set False, and Werkzeug matches every path.
UUID_TEXT = re.compile(UUIDConverter.regex)


class DirectMap(Map):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.forget()
        super().__init__(*arguments, **options)

    def add(self, rulefactory: RuleFactory) -> None:
        self.forget()  # The new rule may match what another rule matched.
        super().add(rulefactory)

    def forget(self) -> None:
        # By method and path; by method and the path before the UUID, with the variable's name.
        self.fixed: dict[tuple[str, str], Rule] = {}
        self.by_id: dict[tuple[str, str], tuple[Rule, str]] = {}
        self._alone: dict[str, bool] = {}  # By the text of the rule.

    def learn(self, method: str, path: str, rule: Rule, values: Mapping[str, Any]) -> None:
        """Remember the rule that matched, if it matches every path of this form."""
        if self.redirect_defaults or rule.defaults or method not in (rule.methods or ()):
            return
        before, _, last = path.rpartition("/")
        if not values:
            if path == rule.rule:
                self.fixed[method, path] = rule
        elif len(values) == 1 and UUID_TEXT.fullmatch(last):
            [name] = values
            is_last = rule.rule == f"{before}/<uuid:{name}>"
            if is_last and self.converters["uuid"] is UUIDConverter and self._is_alone(rule):
                self.by_id[method, before] = rule, name

    def _is_alone(self, rule: Rule) -> bool:
        """Whether no rule of another text can match a path of this rule."""
        if rule.rule not in self._alone:
            others = (other.rule for other in self.iter_rules())
            self._alone[rule.rule] = not any(_may_match(other, rule.rule) for other in others)
        return self._alone[rule.rule]


class DirectAdapter(MapAdapter):
    map: DirectMap

    def match(self, *arguments: Any, **options: Any) -> Any:
        # The arguments of Flask's RequestContext.
        if not ENABLED or arguments or options != {"return_rule": True} or self.websocket:
            return super().match(*arguments, **options)
        method, path = self.default_method, self.path_info
        if rule := self.map.fixed.get((method, path)):
            return rule, {}
        before, _, last = path.rpartition("/")
        remembered = self.map.by_id.get((method, before))
        if remembered and UUID_TEXT.fullmatch(last):
            rule, name = remembered
            return rule, {name: UUID(int=int(last.replace("-", ""), 16))}
        matched = super().match(**options)
        self.map.learn(method, path, *matched)
        return matched


def _may_match(other: str, rule: str) -> bool:
    """Whether a rule with the other text may match a path of the rule."""
    before, variable = rule.rsplit("/", 1)
    if other == rule or not other.startswith(f"{before}/"):
        return False
    part, _, behind = other.removeprefix(f"{before}/").partition("/")
    if part == variable and behind:  # It is longer.
        return False
    return "<" in part or UUID_TEXT.fullmatch(part) is not None
