"""Key-value caches as people write them at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


class _Cache:
    """All as it should be; each mistake below changes one thing."""

    def __init__(self, model, batch=1, length=None):
        shape = self.shape(model.config, batch, length)
        self.keys = np.empty(shape, model.parameters.dtype)
        self.values = np.empty(shape, model.parameters.dtype)
        self.length = 0

    def shape(self, config: Any, batch: Any, length: Any) -> tuple[int, ...]:
        room = config.n_positions if length is None else length
        return config.n_layer, batch, config.kv_heads, room, config.head_size

    def extend(self, layer, k, v):
        stop = self.put(layer, k, v)
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]

    def put(self, layer: Any, k: Any, v: Any) -> int:
        stop = self.length + k.shape[2]
        self.keys[layer, :, :, self.length : stop] = k
        self.values[layer, :, :, self.length : stop] = v
        return stop


@mistake("KeyValueCache")
class OnlyTheNew(_Cache):
    """only the new keys and values were returned; the earlier ones are missing.

    The new token must attend to all that came before it. Without it, it sees only itself, and the
    text loses its thread. Return everything from the front up to the new positions.
    """

    def extend(self, layer, k, v):
        self.put(layer, k, v)
        return k, v


@mistake("KeyValueCache")
class WithoutTheNew(_Cache):
    """only what was there before was returned; the new keys and values are missing.

    A token attends to itself, too. The end is length + S, not length.
    """

    def extend(self, layer, k, v):
        self.put(layer, k, v)
        return self.keys[layer, :, :, : self.length], self.values[layer, :, :, : self.length]


@mistake("KeyValueCache")
class TheWholeRoom(_Cache):
    """the whole room was returned, with the part that is not filled yet.

    Attention would look at whatever happens to be there. Return the first length + S positions.
    """

    def extend(self, layer, k, v):
        self.put(layer, k, v)
        return self.keys[layer], self.values[layer]


@mistake("KeyValueCache")
class AllLayersReturned(_Cache):
    """the keys and values of all layers were returned; return those of this layer.

    Each layer attends to what it has kept itself: self.keys[layer, :, :, :stop].
    """

    def extend(self, layer, k, v):
        stop = self.put(layer, k, v)
        return self.keys[:, :, :, :stop], self.values[:, :, :, :stop]


@mistake("KeyValueCache")
class AsManyAsCame(_Cache):
    """the first S positions were returned; return the first length + S.

    S is how many are new. Those that were there before must come back with them.
    """

    def extend(self, layer, k, v):
        self.put(layer, k, v)
        new = k.shape[2]
        return self.keys[layer, :, :, :new], self.values[layer, :, :, :new]


@mistake("KeyValueCache")
class WrittenAtTheFront(_Cache):
    """the new ones were written at the front, over the earlier ones.

    They go behind them: from length to length + S.
    """

    def extend(self, layer, k, v):
        new = k.shape[2]
        self.keys[layer, :, :, :new] = k
        self.values[layer, :, :, :new] = v
        stop = self.length + new
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]


@mistake("KeyValueCache")
class NewBeforeOld(_Cache):
    """the new ones were put before the earlier ones.

    The order is the text's: the causal mask counts on it.
    """

    def extend(self, layer, k, v):
        stop = self.put(layer, k, v)
        new = k.shape[2]
        keys, values = self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]
        return np.roll(keys, new, axis=2), np.roll(values, new, axis=2)


@mistake("KeyValueCache")
class LengthInEveryLayer(_Cache):
    """extend moved length on, so the next layer found another length.

    Every layer is called for the same positions. The first would write at 0, the second behind it,
    and so on. The model adds to length once all layers are done; leave it alone.
    """

    def extend(self, layer, k, v):
        self.length = stop = self.put(layer, k, v)
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]


@mistake("KeyValueCache")
class LengthInTheLastLayer(_Cache):
    """extend moved length on in the last layer, and then the model did it again.

    Positions are skipped. The model adds to length; leave it alone.
    """

    def extend(self, layer, k, v):
        stop = self.put(layer, k, v)
        if layer == len(self.keys) - 1:
            self.length = stop
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]


@mistake("KeyValueCache")
class OneLayerForAll(_Cache):
    """all layers share the place of one: each layer overwrites what the one before it kept.

    Each layer has its own keys and values: self.keys[layer].
    """

    def extend(self, layer, k, v):
        return super().extend(0, k, v)


@mistake("KeyValueCache")
class KeysAsValues(_Cache):
    """the keys were kept in the place of the values as well.

    Look at the two lines: one writes k to self.keys, the other v to self.values.
    """

    def extend(self, layer, k, v):
        return super().extend(layer, k, k)


@mistake("KeyValueCache")
class Swapped(_Cache):
    """keys and values are swapped.

    Keys first: return keys, values.
    """

    def extend(self, layer, k, v):
        keys, values = super().extend(layer, k, v)
        return values, keys


@mistake("KeyValueCache")
class ValuesNotKept(_Cache):
    """the values are not where they belong: they were not written, or to another layer.

    Attention needs both: keys to find out where to look, values to know what is there.
    """

    def extend(self, layer, k, v):
        return super().extend(layer, k, np.full_like(v, np.nan))


@mistake("KeyValueCache")
class OnePositionOnly(_Cache):
    """only one position of each call was kept; the prompt has several.

    The first call brings the whole prompt. S is k.shape[2].
    """

    def extend(self, layer, k, v):
        stop = self.length + 1
        self.keys[layer, :, :, self.length] = k[:, :, 0]
        self.values[layer, :, :, self.length] = v[:, :, 0]
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]


@mistake("KeyValueCache")
class LastOfEachPieceOnly(_Cache):
    """only the last position of each call was kept; the prompt has several.

    The first call brings the whole prompt. S is k.shape[2].
    """

    def extend(self, layer, k, v):
        stop = self.length + 1
        self.keys[layer, :, :, self.length] = k[:, :, -1]
        self.values[layer, :, :, self.length] = v[:, :, -1]
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]


@mistake("KeyValueCache")
class BatchForgotten(_Cache):
    """the room is for a batch of one.

    `batch` is the second axis of keys and values.
    """

    def shape(self, config, batch, length):
        return super().shape(config, 1, length)


@mistake("KeyValueCache")
class LengthIgnored(_Cache):
    """the room is always the context, whatever length says.

    To write twenty tokens, you do not need room for thousands. Use n_positions only if length is
    None.
    """

    def shape(self, config, batch, length):
        return super().shape(config, batch, None)


@mistake("KeyValueCache")
class HeadsOfQueries(_Cache):
    """the room has one place for each head of queries; keys and values may have fewer heads.

    In GPT-2 the numbers are equal. Llama shares each head of keys among several heads of queries,
    to save exactly this memory. Use config.kv_heads.
    """

    def shape(self, config, batch, length):
        layers, _, _, room, size = super().shape(config, batch, length)
        return layers, batch, config.n_head, room, size


@mistake("KeyValueCache")
class AllChannels(_Cache):
    """the last axis of the room has all C channels; a head has D of them.

    Use config.head_size.
    """

    def shape(self, config, batch, length):
        *others, _ = super().shape(config, batch, length)
        return (*others, config.n_embd)


@mistake("KeyValueCache")
class SizeFromTheHeadsOfKeys(_Cache):
    """the size of a head was computed from the heads of keys: n_embd / kv_heads.

    The channels are divided among the heads of *queries*. In GPT-2 the numbers are equal, in Llama
    they are not. Use config.head_size.
    """

    def shape(self, config, batch, length):
        *others, _ = super().shape(config, batch, length)
        return (*others, config.n_embd // config.kv_heads)


@mistake("KeyValueCache")
class BatchBeforeLayers(_Cache):
    """the axes of the room are in another order: the batch comes before the layers.

    Each layer writes to all sequences at once, so the layer is the first axis: (layers, B, K, room,
    D).
    """

    def __init__(self, model, batch=1, length=None):
        super().__init__(model, batch, length)
        self.keys, self.values = self.keys.swapaxes(0, 1), self.values.swapaxes(0, 1)

    def extend(self, layer, k, v):
        stop = self.length + k.shape[2]
        self.keys[:, layer, :, self.length : stop] = k
        self.values[:, layer, :, self.length : stop] = v
        return self.keys[:, layer, :, :stop], self.values[:, layer, :, :stop]


@mistake("KeyValueCache")
class TimeBeforeHeads(_Cache):
    """the axes of the room are in another order: time comes before the heads.

    k and v have shape (B, K, S, D), so the room has (layers, B, K, room, D).
    """

    def shape(self, config, batch, length):
        layers, _, heads, room, size = super().shape(config, batch, length)
        return layers, batch, room, heads, size


@mistake("KeyValueCache")
class AlwaysFloat64(_Cache):
    """the room is float64 whatever the dtype of the model.

    Then it takes twice the memory, and attention goes on in float64. np.empty's second argument is
    the dtype: model.parameters.dtype.
    """

    def __init__(self, model, batch=1, length=None):
        super().__init__(model, batch, length)
        self.keys, self.values = np.empty((2, *self.keys.shape))


@mistake("KeyValueCache")
class AlwaysFloat32(_Cache):
    """the room is float32 whatever the dtype of the model.

    Then a float64 model loses half of its digits in the cache. np.empty's second argument is the
    dtype: model.parameters.dtype.
    """

    def __init__(self, model, batch=1, length=None):
        super().__init__(model, batch, length)
        self.keys, self.values = np.empty((2, *self.keys.shape), np.float32)


@mistake("KeyValueCache")
class GrownByConcatenation(_Cache):
    """the arrays were made longer by np.concatenate, in each call.

    The results are right, but each token copies the whole past again, so the time for a token grows
    after all. Make the room once, and write into it.
    """

    def __init__(self, model, batch=1, length=None):
        super().__init__(model, batch, length)
        self.keys, self.values = {}, {}

    def extend(self, layer, k, v):
        if layer in self.keys:
            k = np.concatenate((self.keys[layer], k), axis=2)
            v = np.concatenate((self.values[layer], v), axis=2)
        self.keys[layer], self.values[layer] = k, v
        return k, v


@mistake("KeyValueCache")
class GrownFromNothing(_Cache):
    """no room was made: the arrays begin empty and grow by np.concatenate in each call.

    The results are right, but each token copies the whole past again, so the time for a token grows
    after all. Make the room in __init__, and write into it.
    """

    def __init__(self, model, batch=1, length=None):
        super().__init__(model, batch, length)
        self.keys, self.values = list(self.keys[..., :0, :]), list(self.values[..., :0, :])

    def extend(self, layer, k, v):
        for kept, new in ((self.keys, k), (self.values, v)):
            kept[layer] = np.concatenate((kept[layer], new), axis=2)
        return self.keys[layer], self.values[layer]


@mistake("KeyValueCache")
class NewRoomInEachCall(_Cache):
    """the arrays are copied in each call; they should be written into.

    A copy of the whole room for every token and layer takes more time than attention itself.
    """

    def extend(self, layer, k, v):
        self.keys, self.values = self.keys.copy(), self.values.copy()
        return super().extend(layer, k, v)


class _Zeros(_Cache):
    """Room that is zero at first: what is read too early is 0 then, and not just anything."""

    def __init__(self, model, batch=1, length=None):
        super().__init__(model, batch, length)
        self.keys.fill(0)
        self.values.fill(0)


@mistake("KeyValueCache")
class WrittenToACopy(_Cache):
    """nothing is kept for the next call: the new ones were not written, or to a copy.

    A basic slice such as self.keys[layer, :, :, :stop] is a view, and writing into it is writing
    into the room. .copy(), np.concatenate and an index by an array make a copy.
    """

    def extend(self, layer, k, v):
        kept = self.keys, self.values
        self.keys, self.values = self.keys.copy(), self.values.copy()
        found = super().extend(layer, k, v)
        self.keys, self.values = kept
        return found


@mistake("KeyValueCache")
class ZerosAndACopy(WrittenToACopy, _Zeros):
    """nothing is kept, and the room stays zero: the new ones were not written, or to a copy.

    A basic slice such as self.keys[layer, :, :, :stop] is a view, and writing into it is writing
    into the room. .copy(), np.concatenate and an index by an array make a copy.
    """


@mistake("KeyValueCache")
class TheWholeRoomOfZeros(TheWholeRoom, _Zeros):
    """the whole room was returned, with the zeros that are not filled yet.

    A key of zeros still gets a share of the attention. Return the first length + S positions.
    """


@mistake("KeyValueCache")
class AllLayersOfZeros(AllLayersReturned, _Zeros):
    """the keys and values of all layers were returned; return those of this layer alone.

    Each layer attends to what it has kept itself: self.keys[layer, :, :, :stop].
    """


@mistake("KeyValueCache")
class ZerosWrittenAtTheFront(WrittenAtTheFront, _Zeros):
    """the new ones were written at the front, over the earlier ones.

    They go behind them: from length to length + S.
    """


@mistake("KeyValueCache")
class ZerosLengthInEveryLayer(LengthInEveryLayer, _Zeros):
    """extend moved length on, so the next layer found another length.

    Every layer is called for the same positions. The first would write at 0, the second behind it,
    and so on. The model adds to length once all layers are done; leave it alone.
    """


@mistake("KeyValueCache")
class ZerosLengthInTheLastLayer(LengthInTheLastLayer, _Zeros):
    """extend moved length on in the last layer, and then the model did it again.

    Positions are skipped. The model adds to length; leave it alone.
    """


@mistake("KeyValueCache")
class ZerosOfValues(_Zeros):
    """the values are zero: they were not written, or to another layer.

    Attention needs both: keys to find out where to look, values to know what is there.
    """

    def extend(self, layer, k, v):
        return super().extend(layer, k, np.zeros_like(v))


@mistake("KeyValueCache")
class ZerosButTheLast(_Zeros):
    """only the last position of each call was written; the others of it are zero.

    The first call brings the whole prompt. Write all S positions: self.length : self.length + S.
    """

    def put(self, layer, k, v):
        stop = self.length + k.shape[2]
        self.keys[layer, :, :, stop - 1] = k[:, :, -1]
        self.values[layer, :, :, stop - 1] = v[:, :, -1]
        return stop
