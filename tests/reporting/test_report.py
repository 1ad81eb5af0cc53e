import json

import pytest

from keras_prune.errors import ConfigError
from keras_prune.reporting import PruningReport


def test_json_round_trip(report):
    assert PruningReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_accuracy_drop_is_in_points(report):
    assert report.accuracy_drop == pytest.approx(0.5)


def test_a_wrong_report_is_refused(report):
    data = report.to_dict()
    data["before"]["acuracy"] = 1.0
    with pytest.raises(ConfigError, match=r"\[report.before\] 'acuracy'. Did you mean 'accuracy'"):
        PruningReport.from_dict(data)
