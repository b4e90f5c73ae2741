"""Losses against their definitions in plain numpy."""

import numpy as np
import pytest
from scipy import ndimage

from flawline.errors import UsageError

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.segment import losses  # noqa: E402

IGNORE = 255


def drawn(seed=0, unknown=0.2):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (2, 3, 7, 6))
    truth = rng.choice([0, 0, 0, 1, 2], (2, 7, 6))
    truth[rng.random(truth.shape) < unknown] = IGNORE
    return logits, truth


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def by_pixel(logits, truth):
    """p (K, C) and the true class (K,) of the known pixels."""
    p = np.moveaxis(softmax(logits), 1, -1).reshape(-1, logits.shape[1])
    known = truth.ravel() != IGNORE
    return p[known], truth.ravel()[known]


def plain_cross_entropy(logits, truth):
    p, g = by_pixel(logits, truth)
    return -np.log(p[np.arange(len(g)), g]).mean()


def plain_balanced(logits, truth):
    p, g = by_pixel(logits, truth)
    weights = np.bincount(g, minlength=3)[g] ** -0.25
    return np.average(-np.log(p[np.arange(len(g)), g]), weights=weights)


def plain_focal(logits, truth):
    p, g = by_pixel(logits, truth)
    of_truth = p[np.arange(len(g)), g]
    return (-((1 - of_truth) ** 2) * np.log(of_truth)).mean()


def plain_dice(logits, truth):
    p, g = by_pixel(logits, truth)
    return np.mean(
        [
            1 - (2 * p[g == c, c].sum() + 1) / (p[:, c].sum() + (g == c).sum() + 1)
            for c in (1, 2)
            if (g == c).any()
        ]
    )


def plain_tversky(logits, truth):
    p, g = by_pixel(logits, truth)
    values = []
    for c in (1, 2):
        if (g == c).any():
            hit, extra, lost = p[g == c, c].sum(), p[g != c, c].sum(), (1 - p[g == c, c]).sum()
            values.append(1 - (hit + 0.5) / (hit + 0.3 * extra + 0.7 * lost + 0.5))
    return np.mean(values)


def plain_lovasz(logits, truth):
    """By the definition of the Lovász extension: the Jaccard loss of every set of the worst errors."""
    p, g = by_pixel(logits, truth)
    values = []
    for c in range(3):
        true = g == c
        if not true.any():
            continue
        errors = np.abs(true - p[:, c])
        order = np.argsort(-errors, kind="stable")

        def jaccard_loss(wrong, true=true):
            marked = true ^ wrong
            return 1 - (true & marked).sum() / (true | marked).sum()

        wrong, total, before = np.zeros(len(g), bool), 0.0, 0.0
        for k in order:
            wrong[k] = True
            now = jaccard_loss(wrong)
            total += errors[k] * (now - before)
            before = now
        values.append(total)
    return np.mean(values)


def plain_boundary(logits, truth):
    p = softmax(logits)
    total = 0.0
    for n in range(len(truth)):
        for c in range(3):
            inside = truth[n] == c
            if inside.any() and not inside.all():
                out = ndimage.distance_transform_edt(~inside)
                into = ndimage.distance_transform_edt(inside)
                distance = np.where(inside, 1 - into, out) / max(inside.shape)
                total += (p[n, c] * distance)[truth[n] != IGNORE].sum()
    return total / (truth != IGNORE).sum()


PLAIN = {
    "cross-entropy": plain_cross_entropy,
    "balanced": plain_balanced,
    "focal": plain_focal,
    "dice": plain_dice,
    "tversky": plain_tversky,
    "lovasz": plain_lovasz,
    "boundary": plain_boundary,
}


def of(name, logits, truth):
    return losses.LOSSES[name](torch.from_numpy(logits), torch.from_numpy(truth))


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_loss_is_its_definition(name, seed):
    logits, truth = drawn(seed)
    # OpenCV's distances are those of a 5x5 chamfer, at most 2 % off the Euclidean ones.
    tolerance = 0.03 if name == "boundary" else 1e-6
    assert float(of(name, logits, truth)) == pytest.approx(
        PLAIN[name](logits, truth), rel=tolerance, abs=1e-3 * (name == "boundary")
    )


def test_every_loss_is_tested():
    assert PLAIN.keys() == losses.LOSSES.keys()


@pytest.mark.parametrize("name", PLAIN)
def test_unknown_pixels_count_nothing(name):
    logits, truth = drawn(3)
    changed = np.where((truth == IGNORE)[:, None], -5 * logits, logits)
    assert float(of(name, logits, truth)) == pytest.approx(float(of(name, changed, truth)))
    values = torch.from_numpy(logits).requires_grad_()
    losses.LOSSES[name](values, torch.from_numpy(truth)).backward()
    assert not values.grad.movedim(1, -1)[torch.from_numpy(truth) == IGNORE].any()
    nothing = np.full_like(truth, IGNORE)
    assert float(of(name, logits, nothing)) == 0


@pytest.mark.parametrize("name", PLAIN)
def test_a_step_down_the_slope_lowers_it(name):
    logits, truth = drawn(4)
    values = torch.from_numpy(logits).requires_grad_()
    before = losses.LOSSES[name](values, torch.from_numpy(truth))
    before.backward()
    after = of(name, logits - 0.1 * values.grad.numpy(), truth)
    assert float(after) < float(before.detach())


def test_focal_without_focus_is_cross_entropy_and_tversky_between_is_dice():
    logits, truth = (torch.from_numpy(each) for each in drawn(5))
    assert float(losses.focal(logits, truth, 0.0)) == pytest.approx(
        float(losses.cross_entropy(logits, truth))
    )
    assert float(losses.tversky(logits, truth, 0.5, 0.5)) == float(losses.dice(logits, truth))


def test_the_right_answer_costs_next_to_nothing():
    _, truth = drawn(6, unknown=0)
    logits = 30.0 * np.moveaxis(np.eye(3)[truth], -1, 1)
    for name in ("cross-entropy", "balanced", "focal", "dice", "tversky", "lovasz"):
        assert float(of(name, logits, truth)) < 1e-6


def test_a_sum_is_read_from_text():
    sum_ = losses.parse_loss("focal + 0.5*lovasz")
    assert sum_.terms == (("focal", 1.0), ("lovasz", 0.5))
    logits, truth = (torch.from_numpy(each) for each in drawn(7))
    total, terms = sum_(logits, truth)
    assert float(total) == pytest.approx(float(terms["focal"] + 0.5 * terms["lovasz"]))


@pytest.mark.parametrize(
    "text", ["", "hinge", "dice+", "0*dice", "1.2.3*dice", "dice+dice", "-dice"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(UsageError, match="loss"):
        losses.parse_loss(text)
