"""What every sample drop folder keeps: the seed decides each byte of it, and when each file arrived."""

from __future__ import annotations

import hashlib

import pytest

from sample_operator import engagement, liaison, survey


@pytest.mark.parametrize("sample", [survey, engagement, liaison], ids=["survey", "engagement", "liaison"])
def test_the_same_seed_gives_the_same_files_and_another_does_not(tmp_path, sample):
    def built(name, seed):
        sample.build(tmp_path / name, seed=seed)
        files = (path for path in (tmp_path / name).rglob("*") if path.is_file())
        return {
            path.relative_to(tmp_path / name): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime)
            for path in files
        }

    assert built("first", 2013) == built("second", 2013) != built("other", 7)
