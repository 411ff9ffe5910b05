"""`minilm train`: `minilm pretrain` under the name that other systems use."""

from minilm.cli.pretrain import add_arguments, run

__all__ = ["add_arguments", "run"]
