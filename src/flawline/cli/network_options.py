"""Options of every command that trains a segmenter."""

from __future__ import annotations

from typing import Annotated

import typer

NetworkName = Annotated[
    str, typer.Option(help='"light", "unet-original", or an architecture such as "unet".')
]
Encoder = Annotated[
    str | None, typer.Option(help='Encoder of the architecture: "resnet18", "timm:NAME".')
]
EncoderWeights = Annotated[
    str | None, typer.Option(help="Weights of the encoder: a .safetensors file, or a name.")
]
Patch = Annotated[
    str, typer.Option(help='What the network sees at once, px: "256" or HEIGHTxWIDTH.')
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
