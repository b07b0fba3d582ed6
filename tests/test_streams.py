"""Random streams belong to a name."""

from simulator.signals.streams import Cursor, Stream


def test_the_same_name_and_epoch_give_the_same_numbers() -> None:
    """Two streams of one name agree, whichever epoch is asked first."""
    one, other = Stream(7, "press-1", "noise"), Stream(7, "press-1", "noise")
    other.epoch(41).random(100)
    assert one.epoch(3).random(5).tolist() == other.epoch(3).random(5).tolist()


def test_a_cursor_reads_what_each_stream_does() -> None:
    """Going from stream to stream, also in the midst of one, gives the numbers of the streams themselves."""
    cursor, streams = Cursor(), [Stream(7, "a"), Stream(7, "b")]
    for epoch, lane in ((0, 0), (3, 1), (2, 0), (-1, 2)):
        for stream in streams:
            got, expected = cursor.at(stream, epoch, lane), stream.epoch(epoch, lane)
            assert got.integers(10, dtype="int32") == expected.integers(10, dtype="int32")
            assert got.standard_normal(7).tobytes() == expected.standard_normal(7).tobytes()
            assert got.binomial(20, [0.1, 0.7]).tolist() == expected.binomial(20, [0.1, 0.7]).tolist()


def test_another_seed_name_epoch_or_lane_gives_other_numbers() -> None:
    """Each part of the address matters."""
    draws = [
        Stream(7, "ab", "c").epoch(0).random(),
        Stream(8, "ab", "c").epoch(0).random(),
        Stream(7, "a", "bc").epoch(0).random(),
        Stream(7, "ab", "c").epoch(1).random(),
        Stream(7, "ab", "c").epoch(0, lane=1).random(),
    ]
    assert len(set(draws)) == 5


def test_the_numbers_never_change_between_versions() -> None:
    """A pinned value: results of old runs must stay reproducible."""
    assert Stream(1, "pinned").epoch(2).integers(1_000_000, size=3).tolist() == [673687, 801271, 590142]
