"""The lab: a small company in containers, built by the main job."""
