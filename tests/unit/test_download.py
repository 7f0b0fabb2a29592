"""Downloads against a real HTTP server on loopback."""

import pytest

from paintseg.errors import WeightsError
from paintseg.io.download import download

from .local_hub import CONTENT, SHA256, running_hub


@pytest.fixture
def hub():
    with running_hub() as handler:
        yield handler


@pytest.fixture
def target(tmp_path):
    return tmp_path / "models" / "weights.safetensors"


def test_a_file_comes_whole_into_a_folder_that_is_made(hub, target):
    download(hub.address, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_broken_download_goes_on_where_it_stopped(hub, target):
    hub.cut = 1_000_000
    with pytest.raises(WeightsError, match="ended after 1000000 of 3072000 bytes"):
        download(hub.address, target, SHA256)
    assert not target.exists()
    hub.cut = len(CONTENT)
    download(hub.address, target, SHA256)
    assert hub.asked == [0, 1_000_000] and target.read_bytes() == CONTENT


def test_a_server_without_ranges_starts_again(hub, target):
    target.parent.mkdir()
    target.with_name("weights.safetensors.part").write_bytes(b"old")
    hub.ranges = False
    download(hub.address, target, SHA256)
    assert target.read_bytes() == CONTENT


def test_a_whole_unfinished_file_is_only_checked(hub, target):
    target.parent.mkdir()
    target.with_name("weights.safetensors.part").write_bytes(CONTENT)
    download(hub.address, target)
    assert hub.asked == [] and target.read_bytes() == CONTENT


def test_what_progress_raises_ends_it_and_what_came_stays(hub, target):
    def cancel(there, total):
        assert total == len(CONTENT)
        if there:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(hub.address, target, SHA256, cancel)
    download(hub.address, target, SHA256)
    assert hub.asked == [0, 1 << 20] and target.read_bytes() == CONTENT


def test_the_hash_the_hub_tells_is_checked_when_none_is_known(hub, target):
    download(hub.address, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("known, told", [("", ""), ("0" * 64, SHA256)])
def test_a_file_without_a_hash_or_with_another_is_refused_before_its_body(hub, target, known, told):
    hub.etag, heard = f'"{told}"', []
    with pytest.raises(WeightsError, match="so nothing was downloaded"):
        download(hub.address, target, known, lambda *share: heard.append(share))
    assert list(target.parent.iterdir()) == [] and heard == []
    target.with_name("weights.safetensors.part").write_bytes(CONTENT[:1000])
    with pytest.raises(WeightsError, match="so nothing was downloaded"):
        download(hub.address, target, known)
    assert [path.stat().st_size for path in target.parent.iterdir()] == [1000]  # may be another address's


@pytest.mark.parametrize("known, told", [("0" * 64, ""), ("", "f" * 64), ("f" * 64, "F" * 64)])
def test_a_file_that_is_not_what_its_hash_says_is_thrown_away(hub, target, known, told):
    hub.etag = f'"{told}"'
    with pytest.raises(WeightsError, match=f"has sha256 {SHA256} instead of"):
        download(hub.address, target, known)
    assert list(target.parent.iterdir()) == []


def test_an_address_that_does_not_answer_is_named_with_file_and_folder(hub, target):
    with pytest.raises(WeightsError) as refused:
        download(hub.address + "-not", target, SHA256)
    words = str(refused.value)
    assert all(part in words for part in (hub.address + "-not", target.name, str(target.parent), "404"))
