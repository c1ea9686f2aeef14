import pytest

from emorec.errors import EmorecError
from emorec.live.ice import DEFAULT_ICE_SERVERS, ice_servers


@pytest.mark.parametrize(
    ("value", "servers"),
    [
        (None, list(DEFAULT_ICE_SERVERS)),
        ("", list(DEFAULT_ICE_SERVERS)),
        ("[]", []),
        ('[{"urls": ["turn:a"], "username": "u", "credential": "c"}]', None),
    ],
)
def test_servers_come_from_the_environment(value, servers):
    env = {} if value is None else {"EMOREC_ICE_SERVERS": value}
    expected = (
        servers
        if servers is not None
        else [{"urls": ["turn:a"], "username": "u", "credential": "c"}]
    )
    assert ice_servers(env) == expected


@pytest.mark.parametrize("value", ["{", '{"urls": []}', '["stun:a"]', '[{"secret": "hush"}]'])
def test_a_wrong_list_is_one_line_that_repeats_no_secret(value):
    with pytest.raises(EmorecError) as caught:
        ice_servers({"EMOREC_ICE_SERVERS": value})
    line = str(caught.value)
    assert line.startswith("EMOREC_ICE_SERVERS:") and "\n" not in line and "hush" not in line
