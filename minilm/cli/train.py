"""`minilm train`: another name for `minilm pretrain`."""

from minilm.cli.pretrain import add_arguments, run

__all__ = ["add_arguments", "run"]
