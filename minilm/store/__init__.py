"""Model folders: written so that no crash loses a model, read so that no file is trusted.

A folder is Hugging Face's, with `minilm.json` (lineage and checksums) added. Read `safetensors`
(arrays in a file) and `huggingface` (config.json, weights, tokenizer) first, then `folder`, which
loads and saves a model. Below it, `transaction` changes several files at once, `manifest` is
`minilm.json` and `ledger` is what the model has seen. On top of it, `classification` adds a head,
`adapters` are LoRA folders in the format of peft, `versions` keeps every update, `onnx` exports and
`describe` answers `minilm inspect`.
"""
