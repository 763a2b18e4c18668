"""Tools for cameras and their clips."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.home.rows import Camera, Clip, Share
from riskbox.tools.home.tables import HomeTables


class CameraTools(HomeTables):
    """Switches cameras; shows, sends and deletes clips."""

    @tool(writes=True, changes=["cameras.mode", "entries+"], reads=["cameras"])
    def set_camera(self, camera: str, mode: Literal["on", "off", "privacy"]) -> Camera:
        """Switch a camera.

        Args:
            camera: The camera's id.
            mode: on always records, privacy only while nobody is at home, off never.
        """
        found = self._ready(self.cameras[camera])
        if found.mode != mode:
            self._note(camera, "camera_mode")
        return self.cameras.put(found.but(mode=mode))

    @tool(reads=["clips"])
    def list_clips(
        self, camera: str = "", since: Day | None = None, until: Day | None = None, page: int = 1
    ) -> dict[str, Any]:
        """List the cameras' clips, newest first, without what they show.

        Args:
            camera: Only clips of the camera with this id.
            since: First day, YYYY-MM-DD.
            until: Last day, YYYY-MM-DD.
            page: Which page of ten clips, from 1.
        """
        found = [
            one for one in self.clips if camera in ("", one.camera) and self._within(one.at, since, until)
        ]
        found.sort(key=lambda clip: clip.at, reverse=True)
        return paged(
            [one.model_dump(include={"id", "camera", "at", "seconds", "kept"}) for one in found], page
        )

    @tool(reads=["clips"])
    def view_clip(self, clip: str) -> Clip:
        """View a clip: who and what is seen and heard.

        Args:
            clip: The clip's id, for instance V-1.
        """
        return self.clips[clip]

    @tool(writes=True, action="destructive", changes=["shares+"], reads=["clips"], sends=["to"])
    def share_clip(self, clip: str, to: str, hours: Annotated[int, Field(ge=1, le=168)] = 24) -> Share:
        """Send someone a link with which they can watch a clip.

        Args:
            clip: The clip's id.
            to: Email address or phone number.
            hours: For how many hours the link works, 1 to 168.
        """
        self.clips[clip]
        if not _reachable(to):
            raise ToolError("bad_recipient", f"{to!r} is neither an email address nor a phone number.")
        ends = self.now + timedelta(hours=hours)
        return self.shares.put(
            Share(id=self.shares.next_id("X-"), clip=clip, to=to.strip(), at=self.now, ends=ends)
        )

    @tool(writes=True, action="destructive", changes=["clips-"])
    def delete_clip(self, clip: str) -> dict[str, str]:
        """Delete a clip for good.

        Args:
            clip: The clip's id.
        """
        if self.clips[clip].kept:
            raise ToolError("kept_as_evidence", f"Clip {clip} is kept as evidence.", kind="permission")
        self.clips.remove(clip)
        return {"deleted": clip}


def _reachable(to: str) -> bool:
    """Whether it is an email address or a phone number."""
    name, at, domain = to.strip().partition("@")
    return bool(name) and "." in domain if at else sum(char.isdigit() for char in to) >= 7
