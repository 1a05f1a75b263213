"""No comm of ours is bound to the shell that it last sent from."""

from __future__ import annotations

import pytest
from ipykernel.comm.comm import BaseComm

from nbrealtime.widgets.badge import ConnectionBadge
from nbrealtime.widgets.publish import PublishBox
from nbrealtime.widgets.subshells import hear_at_once
from nbrealtime.widgets.token import TokenBox


def test_ipykernels_comm_is_asked_and_has_no_opinion():
    comm = BaseComm(target_name="test")
    hear_at_once(comm)
    # As `Kernel.shell_channel_thread_main` asks; older ones do not.
    assert getattr(comm, "_reply_subshell_for", None) is None


@pytest.mark.usefixtures("comms")
def test_whatever_hears_a_browser_hears_it_at_once(topic):
    box = PublishBox(topic)
    for widget in (box, box.hub, ConnectionBadge(topic), TokenBox("token")):
        assert widget.comm._reply_subshell_for is None
