"""Our PDUs against those of libsmpp34."""
import os
import pathlib
import subprocess
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]


def program() -> str:
    folder = pathlib.Path(os.environ.get("WHERRY_BUILD", SOURCE / "build" / "dev"))
    found = sorted(folder.glob("**/smpp_codec_check"))
    if not found:
        raise RuntimeError(f"there is no smpp_codec_check in {folder}: libsmpp34-dev was missing when it was configured")
    return str(found[0])


class Codec(unittest.TestCase):
    def test_what_one_writes_the_other_reads(self) -> None:
        for seed in ("1", "20261123"):
            done = subprocess.run([program(), seed, "3000"], capture_output=True, text=True, timeout=600)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
