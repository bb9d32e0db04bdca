"""Fitting: it learns, it resumes; optimizers, batches and callbacks; fused batch normalisation against Keras' own."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from fer_core.files import cache_folder
from fer_core.models import ModelSpec
from fer_core.training import fit as fit_module
from fer_core.training.augmentation import MIRROR_ONLY, Augmentation
from fer_core.training.callbacks import EarlyStopping, read_history, repair_backup
from fer_core.training.fit import Batches, computes_bfloat16, fit, fused_batch_norm, make_optimizer, precision
from fer_core.training.recipe import Recipe, uses_features
from tests.training.conftest import PLAIN, small_network


@pytest.fixture
def run(tiny_spec, bright_and_dark):
    """Fit a fresh small network on the easy faces."""

    def run(recipe, folder=None, callbacks=(), network=None):
        network = network or small_network()
        parts = {"training": bright_and_dark, "holdout": bright_and_dark}
        return network, fit(network, tiny_spec, recipe=recipe, **parts, folder=folder, callbacks=callbacks)

    return run


def test_learns_what_is_easy(run, bright_and_dark):
    keras.utils.set_random_seed(0)
    network, history = run(replace(PLAIN, epochs=15, batch_size=16, ema=0.5))
    predicted = np.asarray(network(bright_and_dark.images[..., None].astype("float32"))).argmax(axis=1)
    assert (predicted == bright_and_dark.labels).mean() > 0.95
    assert len(history["loss"]) == 15
    assert history["loss"][-1] < history["loss"][0]


class _Killed(Exception):
    pass


def test_goes_on_after_a_kill_and_does_not_train_again_when_finished(run, tmp_path):
    def kill(epoch, logs):
        if epoch == 2:
            raise _Killed

    recipe = replace(PLAIN, augmentation=Augmentation())
    with pytest.raises(_Killed):
        run(recipe, tmp_path, [keras.callbacks.LambdaCallback(on_epoch_begin=kill)])
    assert len(read_history(tmp_path)) == 2
    finished, resumed = run(recipe, tmp_path)
    assert len(resumed["loss"]) == 2
    assert read_history(tmp_path)["epoch"].tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(read_history(tmp_path)["val_loss"][2:], resumed["val_loss"])
    again, history = run(recipe, tmp_path)
    assert history == {}
    for weights, same in zip(finished.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(weights, same, atol=1e-6)


def test_a_note_cut_off_in_writing_falls_back_one_epoch(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,loss\n0,3.5\n1,2.5\n1,0.1\n2,1.25\n")
    assert read_history(tmp_path).to_dict("list") == {"epoch": [0, 1, 2], "loss": [3.5, 0.1, 1.25]}
    note, state = tmp_path / "training_metadata.json", tmp_path / "latest.weights.h5"
    repair_backup(tmp_path / "no run yet")
    note.write_text('{"epo')
    state.write_bytes(b"half")
    repair_backup(tmp_path)
    assert not note.exists()
    assert not state.exists()
    note.write_text('{"epo')
    (tmp_path / f"{note.name}.bkp").write_text('{"epoch": 2}')
    (tmp_path / f"{state.name}.bkp").write_bytes(b"whole")
    repair_backup(tmp_path)
    assert note.read_text() == '{"epoch": 2}'
    assert state.read_bytes() == b"whole"
    note.write_text('{"epoch": 3}')
    repair_backup(tmp_path)
    assert note.read_text() == '{"epoch": 3}'


def test_early_stopping_ends_with_the_best_epochs_weights(run, tmp_path, monkeypatch):
    losses = iter([3.0, 1.0, 2.0, 2.5, 0.5])
    told = EarlyStopping.on_epoch_end
    monkeypatch.setattr(
        EarlyStopping, "on_epoch_end", lambda self, epoch, _=None: told(self, epoch, {"val_loss": next(losses)})
    )
    seen = []
    recipe = replace(PLAIN, epochs=9, ema=0.0, early_stopping=2)
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(keep.model.layers[-1].get_weights()))
    network, history = run(recipe, tmp_path, [keep])
    assert len(history["loss"]) == 4  # best in the second epoch, then two without a better one
    for weights, best in zip(network.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(weights, best)
    assert any(not np.array_equal(best, last) for best, last in zip(seen[1], seen[3], strict=True))


def test_short_fits_average_over_fewer_steps(tiny_network):
    recipe = replace(PLAIN, epochs=4, batch_size=32, ema=0.998)
    assert make_optimizer(recipe, tiny_network, 32 * 5000).ema_momentum == 0.998
    assert make_optimizer(recipe, tiny_network, 32 * 50).ema_momentum == pytest.approx(0.9)
    assert not make_optimizer(recipe, tiny_network, 32 * 5).use_ema


def test_weight_decay_spares_normalisation_and_biases(run):
    """With a learning rate too small to learn, only decayed weights shrink."""
    network = small_network()
    before = {v.path: keras.ops.convert_to_numpy(v).copy() for v in network.trainable_variables}
    run(replace(PLAIN, epochs=1, peak_learning_rate=1e-7, weight_decay=1e6, ema=0.0), network=network)
    for variable in network.trainable_variables:
        was, now = before[variable.path], keras.ops.convert_to_numpy(variable)
        if variable.name == "kernel":
            assert np.abs(now).mean() < 0.97 * np.abs(was).mean(), variable.path
        else:
            np.testing.assert_allclose(now, was, atol=1e-3, err_msg=variable.path)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.01] * 5),
        ("reduce_on_plateau", [0.01] * 5),
        ("cosine", [0.01 * (1 + np.cos(np.pi * k / 40)) / 2 for k in (0, 10, 20, 30, 40)]),
        ("one_cycle", [0.0004, 0.01, *(0.01 * (1 + np.cos(np.pi * k / 30)) / 2 for k in (10, 20, 30))]),
    ],
)
def test_schedules_go_where_they_say(tiny_network, schedule, expected):
    """Over 40 steps, a quarter of them for one cycle's way up."""
    recipe = replace(PLAIN, schedule=schedule, peak_learning_rate=0.01, warmup=0.25)
    optimizer = make_optimizer(recipe, tiny_network, 32 * 10)
    optimizer.build(tiny_network.trainable_variables)
    for step, rate in zip((0, 10, 20, 30, 40), expected, strict=True):
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(rate, abs=1e-6), step


def test_another_optimizer_and_schedule_learn(run):
    recipe = replace(PLAIN, epochs=5, optimizer="adamw", peak_learning_rate=3e-3, schedule="reduce_on_plateau", ema=0.0)
    _, history = run(replace(recipe, class_weights="balanced", loss="focal"))
    assert history["loss"][-1] < history["loss"][0]
    assert history["learning_rate"][0] == pytest.approx(3e-3)


@pytest.mark.parametrize("augmentation", [None, MIRROR_ONLY])
def test_a_frozen_backbone_is_run_once(home, bright_and_dark, augmentation, monkeypatch):
    """The head learns from kept features, and the network that comes out is the one that the faces go through."""
    spec = ModelSpec("small", "Small", "transfer", backbone="MobileNetV2", backbone_size=32)
    recipe = replace(PLAIN, epochs=8, optimizer="adam", peak_learning_rate=0.05, ema=0.0, augmentation=augmentation)
    assert uses_features(spec, recipe)
    assert not uses_features(spec, replace(recipe, augmentation=Augmentation()))
    assert not uses_features(replace(spec, open_layers=6), recipe)
    assert not uses_features(replace(spec, noise=0.1), recipe)
    calls = []
    predict = keras.Model.predict
    monkeypatch.setattr(keras.Model, "predict", lambda *a, **k: calls.append(1) or predict(*a, **k))
    keras.utils.set_random_seed(0)
    network = small_network()
    for layer in network.layers[: network.layers.index(network.get_layer("pool"))]:
        layer.trainable = False
    history = fit(network, spec, recipe=recipe, training=bright_and_dark, holdout=bright_and_dark)
    assert len(calls) == (1 if augmentation is None else 2)  # the hold-out here is the training part itself
    assert len(list(cache_folder("features").glob("*.npz"))) == len(calls)
    images = bright_and_dark.images[..., None].astype("float32")
    network.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    _, accuracy = network.evaluate(images, bright_and_dark.labels, verbose=0)
    assert accuracy == pytest.approx(history["val_accuracy"][-1], abs=0.02)


@pytest.mark.parametrize(
    ("flags", "policy"),
    [
        ("fpu avx2 fma", "float32"),
        ("fpu avx512f avx512_bf16", "mixed_bfloat16"),
        ("amx_bf16", "mixed_bfloat16"),
        (None, "float32"),
    ],
)
def test_bfloat16_is_for_processors_that_have_it(flags, policy, tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    if flags is not None:
        path.write_text(f"processor : 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(fit_module, "PROCESSOR", path)
    computes_bfloat16.cache_clear()
    assert precision(Recipe(epochs=1)).name == policy
    assert precision(PLAIN).name == "float32"
    computes_bfloat16.cache_clear()


@given(n=st.integers(1, 40), size=st.integers(1, 17), seed=st.none() | st.integers(0, 9))
def test_every_row_once_with_its_own(n, size, seed):
    x = np.arange(n)[:, None]
    batches = Batches(x, {"twice": 2 * x, "square": x**2}, size, seed, x[:, 0].astype("float32") / 7)
    orders = []
    for _ in range(2):
        parts = [batches[index] for index in range(len(batches))]
        batches.on_epoch_end()
        assert [len(part[0]) for part in parts[:-1]] == [size] * (len(parts) - 1)
        assert 1 <= len(parts[-1][0]) <= size
        seen = np.concatenate([part[0] for part in parts])[:, 0]
        orders.append(seen.tolist())
        assert sorted(seen) == list(range(n))
        if seed is None:
            assert seen.tolist() == list(range(n))
        for faces, targets, weights in parts:
            np.testing.assert_array_equal(targets["twice"], 2 * faces)
            np.testing.assert_array_equal(targets["square"], faces**2)
            np.testing.assert_allclose(weights, faces[:, 0] / 7, rtol=1e-6)
    assert (orders[0] == orders[1]) == (seed is None) or n < 10, "the order is new every epoch"
    same = Batches(x, x, n, seed)[0][0][:, 0].tolist()
    assert same == orders[0]


def normalized(**options):
    """A convolution, a nested normalisation with what training would have left in it, and a head with its own."""
    keras.utils.set_random_seed(3)
    inner = keras.Sequential(
        [keras.Input((6, 6, 4)), keras.layers.BatchNormalization(name="inner", **options)], name="body"
    )
    x = inputs = keras.Input((6, 6, 1))
    x = inner(keras.layers.Conv2D(4, 3, padding="same")(x))
    x = keras.layers.BatchNormalization(name="head_bn")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    for variable in inner.get_layer("inner").weights:
        variable.assign(np.random.default_rng(1).uniform(0.5, 2, variable.shape))
    return model


def step(model, faces):
    """Return the answers in training, every gradient, and what the weights are afterwards."""
    with tf.GradientTape() as tape:
        answers = model(faces, training=True)
        loss = tf.reduce_sum(answers**2)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return [answers, *gradients, *(v.value for v in model.weights), model(faces, training=False)]


@pytest.mark.parametrize("options", [{}, {"momentum": 0.7, "epsilon": 0.1}, {"scale": False}, {"center": False}])
@pytest.mark.parametrize("learns", [True, False])
def test_a_step_is_keras_own_up_to_rounding(options, learns, tmp_path):
    faces = np.random.default_rng(0).uniform(0, 5, (9, 6, 6, 1)).astype("float32")
    plain, fused = normalized(**options), normalized(**options)
    for model in (plain, fused):
        model.get_layer("body").get_layer("inner").trainable = learns
    expected = step(plain, faces)
    with fused_batch_norm(fused):
        given = step(fused, faces)
        fused.save_weights(tmp_path / "fused.weights.h5")
    for ours, keras_own in zip(given, expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-3)  # some gradients are 0
    plain.load_weights(tmp_path / "fused.weights.h5")  # files of weights are the same
    for ours, keras_own in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, keras_own)


def test_it_is_the_fused_kernel_meanwhile_and_keras_layer_afterwards():
    model = normalized()
    inner = model.get_layer("body").get_layer("inner")

    def kernels():
        graph = tf.function(lambda x: model(x, training=True)).get_concrete_function(tf.zeros((2, 6, 6, 1))).graph
        return [o.type for o in graph.get_operations()]

    assert "FusedBatchNormV3" not in kernels()
    with pytest.raises(KeyboardInterrupt), fused_batch_norm(model):
        assert kernels().count("FusedBatchNormV3") == 1  # the head's has no image to normalise
        raise KeyboardInterrupt
    assert type(inner) is keras.layers.BatchNormalization
    assert "FusedBatchNormV3" not in kernels()


def test_bfloat16_stays_bfloat16():
    layer = keras.layers.BatchNormalization(dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input((6, 6, 2), dtype="bfloat16"), layer])
    faces = tf.cast(np.random.default_rng(0).uniform(0, 5, (9, 6, 6, 2)), "bfloat16")
    plain = model(faces, training=True)
    with fused_batch_norm(model):
        fused = model(faces, training=True)
    assert plain.dtype == fused.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(fused, "float32"), tf.cast(plain, "float32"), atol=0.02)
