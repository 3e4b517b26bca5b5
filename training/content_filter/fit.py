"""Fits the head: masked logistic losses, one hidden layer on the vectors, a table on the letters (Adam)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foveal.safety.head import Buckets, Floats, Head, buckets
from training.content_filter.example import QUESTIONS

_AT_ONCE = 1_000  # texts whose letters are hashed together


@dataclass(frozen=True, slots=True)
class Recipe:
    table: int = 16_384
    units: int = 80
    epochs: int = 8
    batch: int = 512
    rate: float = 1e-2
    table_rate: float = 2e-2
    decay: float = 2e-3  # of the dense weights, per step and rate
    table_decay: float = 4e-3
    dropout: float = 0.5  # of hidden units
    letters_lost: float = 0.2  # share of rows whose letters are not looked at, so that meaning is learnt too
    seed: int = 11
    heads: int = 2  # of each fold; the scores of all are averaged: fewer flukes


@dataclass(frozen=True, slots=True)
class Lessons:
    """One row a window."""

    vectors: Floats  # [rows, dimensions]
    letters: Buckets  # of all rows, one after the other
    lengths: Buckets  # [rows]: how many letters' places each row has
    answers: Floats  # [rows, questions], NaN where unknown
    weights: Floats  # [rows]

    def chosen(self, at: Buckets) -> Lessons:
        lengths = self.lengths[at]
        first = np.cumsum(self.lengths)[at] - lengths
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1]) + np.repeat(first - ends + lengths, lengths)
        return Lessons(self.vectors[at], self.letters[places], lengths, self.answers[at], self.weights[at])


def hashed(texts: Sequence[str], recipe: Recipe) -> tuple[Buckets, Buckets]:
    """The places of the letters of all texts, and how many each text has."""
    found: list[Buckets] = []
    for first in range(0, len(texts), _AT_ONCE):
        found += buckets(texts[first : first + _AT_ONCE], recipe.table)
    return np.concatenate(found), np.array([len(places) for places in found], dtype=np.int64)


class _Adam:
    def __init__(self, value: Floats, rate: float, decay: float) -> None:
        self.value, self.rate, self.decay = value, rate, decay
        self.mean, self.square, self.steps = np.zeros_like(value), np.zeros_like(value), 0

    def step(self, slope: Floats, rate: float) -> None:
        self.steps += 1
        self.mean += 0.1 * (slope - self.mean)
        self.square += 0.001 * (slope * slope - self.square)
        size = rate * self.rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        self.value -= size * self.mean / (np.sqrt(self.square) + 1e-8)
        self.value *= 1 - rate * self.rate * self.decay


def fit(rows: Lessons, recipe: Recipe) -> Head:
    """A head with thresholds of 0."""
    chance = np.random.default_rng(recipe.seed)
    questions, dimensions = len(QUESTIONS), rows.vectors.shape[1]
    shapes: dict[str, tuple[int, ...]] = {
        "hidden": (dimensions, recipe.units),
        "hidden_bias": (recipe.units,),
        "out": (recipe.units, questions),
        "straight": (dimensions, questions),
        "bias": (questions,),
        "table": (recipe.table, questions),
    }
    values = {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}
    values["hidden"] += chance.normal(0, 1.2, shapes["hidden"]).astype(np.float32) * 512**-0.5 * 4
    values["out"] += chance.normal(0, recipe.units**-0.5, shapes["out"]).astype(np.float32)
    ways = {
        name: _Adam(
            value,
            recipe.table_rate if name == "table" else recipe.rate,
            recipe.table_decay if name == "table" else 0.0 if "bias" in name else recipe.decay,
        )
        for name, value in values.items()
    }
    count = len(rows.lengths)
    steps, done = recipe.epochs * (count // recipe.batch + 1), 0
    for _ in range(recipe.epochs):
        order = chance.permutation(count)
        for first in range(0, count, recipe.batch):
            some = rows.chosen(order[first : first + recipe.batch])
            for name, slope in _slopes(values, some, recipe, chance).items():
                ways[name].step(slope, 0.5 + 0.5 * float(np.cos(np.pi * done / steps)))
            done += 1
    return Head(questions=QUESTIONS, thresholds=np.zeros((2, questions), dtype=np.float32), **values)


def mean_of(heads: Sequence[Head]) -> Head:
    """One head whose scores are the mean of theirs: their hidden units stand side by side."""
    return Head(
        questions=QUESTIONS,
        thresholds=_mean([head.thresholds for head in heads]),
        hidden=np.concatenate([head.hidden for head in heads], axis=1),
        hidden_bias=np.concatenate([head.hidden_bias for head in heads]),
        out=(np.concatenate([head.out for head in heads]) / len(heads)).astype(np.float32),
        straight=_mean([head.straight for head in heads]),
        bias=_mean([head.bias for head in heads]),
        table=_mean([head.table for head in heads]),
    )


def _mean(values: Sequence[Floats]) -> Floats:
    mean: Floats = np.mean(values, axis=0, dtype=np.float32)
    return mean


def _slopes(
    values: dict[str, Floats], rows: Lessons, recipe: Recipe, chance: np.random.Generator
) -> dict[str, Floats]:
    count = len(rows.lengths)
    before = rows.vectors @ values["hidden"] + values["hidden_bias"]
    kept = (chance.random(before.shape) >= recipe.dropout).astype(np.float32) / (1 - recipe.dropout)
    units = np.maximum(before, 0) * kept
    lengths, flat = rows.lengths, rows.letters
    told = (chance.random(count) >= recipe.letters_lost).astype(np.float32) / np.sqrt(lengths)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    letters = np.add.reduceat(values["table"][flat], starts, axis=0) * told[:, None]
    scores = units @ values["out"] + rows.vectors @ values["straight"] + values["bias"] + letters
    known = ~np.isnan(rows.answers)
    chances = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
    wrong = np.where(known, chances - np.nan_to_num(rows.answers), 0) * rows.weights[:, None]
    wrong = (wrong / count).astype(np.float32)
    back = (wrong @ values["out"].T) * kept * (before > 0)
    spread = np.repeat(wrong * told[:, None], lengths, axis=0)
    table = np.stack(
        [np.bincount(flat, spread[:, column], recipe.table) for column in range(wrong.shape[1])], axis=1
    )
    return {
        "hidden": rows.vectors.T @ back,
        "hidden_bias": back.sum(axis=0),
        "out": units.T @ wrong,
        "straight": rows.vectors.T @ wrong,
        "bias": wrong.sum(axis=0),
        "table": table.astype(np.float32),
    }
