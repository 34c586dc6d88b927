from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutations import mutate


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3), st.integers())
def test_a_number_stands_for_one_mutation_of_any_files(seeds: list[bytes], number: int) -> None:
    assert mutate(seeds, Random(number)) == mutate(seeds, Random(number))


def test_most_mutations_differ_from_each_other_and_from_their_seed() -> None:
    seed = bytes(range(256))
    mutations = {mutate([seed], Random(number)) for number in range(1000)}
    assert len(mutations) > 950
    assert seed not in mutations
