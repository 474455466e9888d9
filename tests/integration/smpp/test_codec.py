"""Our PDUs against those of libsmpp34."""
import subprocess
import unittest

from carrier import built


class Codec(unittest.TestCase):
    def test_what_one_writes_the_other_reads(self) -> None:
        for seed in ("1", "20261123"):
            done = subprocess.run([built("smpp_codec_check"), seed, "3000"], capture_output=True, text=True, timeout=600)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
