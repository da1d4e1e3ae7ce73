"""Expected values of nn-runtime/src/train/metrics/tests.rs, by scikit-learn.

    pip install scikit-learn && python tests/reference/metrics.py
"""

import math

import numpy as np
from sklearn import metrics
from scipy.special import log_softmax, softmax

SAMPLES, CLASSES = 60, 5
# Quarters, so that many scores are equal.
scores = np.array(
    [[((7 * i + 13 * c + 5 * i * c) % 23) / 4 - 2.5 for c in range(CLASSES)] for i in range(SAMPLES)]
)
classes = np.array([(i * i + 3 * i + i // 7) % CLASSES for i in range(SAMPLES)])
labels = np.array([[(i + i // 4 + c) % 3 == 0 for c in range(CLASSES)] for i in range(SAMPLES)])
targets = np.array(
    [[1000.0 + ((3 * i + 11 * c) % 17) / 4 for c in range(CLASSES)] for i in range(SAMPLES)]
)
predicted = scores.argmax(axis=1)
yes = scores > 0


def show(name, value):
    print(f"{name:35} {value!r}" if not isinstance(value, np.floating) else f"{name:35} {float(value)!r}")


# Equal scores: the lower index first, as in `nn-runtime`; scikit-learn prefers the higher one.
order = np.argsort(-scores, axis=1, kind="stable")
for k in (1, 2, 3):
    show(f"top-{k} accuracy", float(np.mean([c in row[:k] for c, row in zip(classes, order)])))
show("accuracy of labels", float(np.mean(yes == labels)))
for average in ("macro", "micro"):
    for name, measure in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("F1", metrics.f1_score),
        ("IoU", metrics.jaccard_score),
    ):
        show(f"{name} ({average})", measure(classes, predicted, average=average, zero_division=0))
        show(f"{name} ({average}) of labels", measure(labels, yes, average=average, zero_division=0))
probabilities = softmax(scores, axis=1)
pair, second = scores[:, :2], classes % 2
show("ROC AUC of two classes", metrics.roc_auc_score(second, pair[:, 1] - pair[:, 0]))
show("average precision of two classes", metrics.average_precision_score(second, pair[:, 1] - pair[:, 0]))
# All different: softmax rounds equal odds to other numbers.
logits = np.array([[((7919 * i + 4729 * c + 3571 * i * c) % 10007) / 1000 for c in range(3)] for i in range(SAMPLES)])
three = classes % 3
one_hot = np.stack([three == c for c in range(3)], axis=1)
show("ROC AUC of three classes", metrics.roc_auc_score(three, softmax(logits, axis=1), multi_class="ovr"))
show("average precision of three classes", metrics.average_precision_score(one_hot, softmax(logits, axis=1)))
show("ROC AUC of labels", metrics.roc_auc_score(labels, scores))
show("average precision of labels", metrics.average_precision_score(labels, scores))
log_probabilities = log_softmax(scores, axis=1)
show("perplexity", math.exp(metrics.log_loss(classes, probabilities, labels=list(range(CLASSES)))))
show("mean absolute error", metrics.mean_absolute_error(targets, 1000 + scores))
show("R2", metrics.r2_score(targets, 1000 + scores))
