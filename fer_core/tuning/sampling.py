"""Draws that are the same for the same seed and trial, however often a study is resumed and however many share it."""

from __future__ import annotations

from typing import Any

import optuna


class SeededByTrial(optuna.samplers.BaseSampler):
    """Optuna's tree-structured Parzen estimator, seeded anew for each trial by its number.

    With one seed a process, a resumed study would draw its first values again, and two processes the same ones.

    Args:
        seed: of the study.
        random_trials: how many finished trials the estimator waits for; until then values are drawn at random.
    """

    def __init__(self, seed: int, random_trials: int = 6) -> None:
        self.seed, self.random_trials = seed, random_trials
        self._sampler = self._for(0)

    def before_trial(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        self._sampler = self._for(trial.number)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: optuna.Study, trial: optuna.trial.FrozenTrial, state: Any, values: Any) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def _for(self, number: int) -> optuna.samplers.TPESampler:
        return optuna.samplers.TPESampler(
            seed=(self.seed * 100_003 + number) % 2**32, n_startup_trials=self.random_trials
        )
