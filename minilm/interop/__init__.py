"""Files of the outside world, in and out: tensors, models, tokenizers. Trusts none of them."""
