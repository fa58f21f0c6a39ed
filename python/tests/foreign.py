# SPDX-License-Identifier: Apache-2.0
"""Files as Keras, torch-deep-retina and others write them, with random weights, and what their networks answer: in plain NumPy, in the files' own order of axes."""
import io
import json
import zipfile

import h5py
import numpy as np


def correlate(images, kernel):
    """Keras' Conv2D of channels_first data, valid: images (B, D, Y, X), kernel (KY, KX, D, C)."""
    rows, columns = kernel.shape[:2]
    sums = 0
    for y in range(rows):
        for x in range(columns):
            part = images[:, :, y:images.shape[2] - rows + 1 + y, x:images.shape[3] - columns + 1 + x]
            sums = sums + np.einsum("bdyx,dc->bcyx", part, kernel[y, x], optimize=True)
    return sums


def normed(values, weights, epsilon=1e-3):
    gamma, beta, mean, variance = weights
    return gamma * (values - mean) / np.sqrt(variance + epsilon) + beta


def softplus(z):
    return np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0)


class Weights:
    """Random weights; every call draws others."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def kernel(self, *shape, inputs):
        return self.random.normal(size=shape).astype(np.float32) / np.float32(np.sqrt(inputs))

    def bias(self, size):
        return self.random.normal(scale=0.3, size=size).astype(np.float32)

    def norm(self, size, gain=1.0):
        """gamma (of both signs), beta, mean, variance."""
        gamma = self.random.normal(gain, 0.6 * gain, size)
        return [each.astype(np.float32) for each in (gamma, self.random.normal(0.3, 0.3, size), self.random.normal(0, 0.3, size), self.random.uniform(0.4, 2, size))]


class BnCnn:
    """BN-CNN as Keras has it, channels_first, with one norm per unit (deep-retina's) or per channel."""

    def __init__(self, window, channels, sizes, cells, seed, per_unit=True, first_norm=True, output_epsilon=1e-3):
        draw, (time, rows, columns) = Weights(seed), window
        self.window, self.cells, self.per_unit, self.layers = window, cells, per_unit, []
        inputs = time
        for channel, size in zip(channels, sizes):
            rows, columns = rows - size + 1, columns - size + 1
            kernel = draw.kernel(size, size, inputs, channel, inputs=size * size * inputs)
            norm = draw.norm(channel * rows * columns if per_unit else channel)
            self.layers.append((kernel, draw.bias(channel), norm, (channel, rows, columns)))
            inputs = channel
        units = inputs * rows * columns
        self.dense, self.output = draw.kernel(units, cells, inputs=units), draw.norm(cells, 4.0)
        self.output[0] = np.abs(self.output[0])
        self.output_epsilon = output_epsilon
        if not first_norm:
            self.layers[0] = (*self.layers[0][:2], None, self.layers[0][3])

    def __call__(self, windows):
        h = np.asarray(windows, np.float64)
        for kernel, bias, norm, shape in self.layers:
            z = correlate(h, kernel.astype(np.float64)) + bias[:, None, None]
            if norm is None:
                h = z
            elif self.per_unit:
                h = normed(z.reshape(len(z), -1), norm).reshape(-1, *shape)
            else:
                h = normed(z, [each[:, None, None] for each in norm])
            h = np.maximum(h, 0)
        return softplus(normed(h.reshape(len(h), -1) @ self.dense.astype(np.float64), self.output, self.output_epsilon))

    def keras(self):
        """Keras 2's configuration of the functional model, and weights by layer."""
        layers, weights = [], {}

        def add(kind, name, config, arrays=None):
            given = [[[layers[-1]["config"]["name"], 0, 0, {}]]] if layers else []
            layers.append({"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": given})
            weights[name] = arrays or {}

        add("InputLayer", "input_1", {"batch_input_shape": [None, *self.window]})
        for i, (kernel, bias, norm, shape) in enumerate(self.layers, 1):
            size = list(kernel.shape[:2])
            add("Conv2D", f"conv2d_{i}", {"filters": shape[0], "kernel_size": size, "strides": [1, 1], "padding": "valid", "data_format": "channels_first",
                                          "activation": "linear", "use_bias": True}, {"kernel": kernel, "bias": bias})
            if self.per_unit:
                add("Flatten", f"flatten_{i}", {"data_format": "channels_last"})
            if norm is not None:
                self.norm(add, f"batch_normalization_{i}", norm, -1 if self.per_unit else 1)
            if self.per_unit:
                add("Reshape", f"reshape_{i}", {"target_shape": list(shape)})
            add("GaussianNoise", f"gaussian_noise_{i}", {"stddev": 0.05})
            add("Activation", f"activation_{i}", {"activation": "relu"})
        add("Flatten", "flatten_3", {})
        add("Dense", "dense_1", {"units": self.cells, "activation": "linear", "use_bias": False}, {"kernel": self.dense})
        self.norm(add, "batch_normalization_3", self.output, -1, self.output_epsilon)
        add("Activation", "activation_3", {"activation": "softplus"})
        return {"class_name": "Model", "config": {"name": "model_1", "layers": layers}}, weights

    @staticmethod
    def norm(add, name, norm, axis, epsilon=1e-3):
        add("BatchNormalization", name, {"axis": axis, "epsilon": epsilon, "momentum": 0.99, "center": True, "scale": True},
            dict(zip(("gamma", "beta", "moving_mean", "moving_variance"), norm)))


def write_keras(path, config, weights, full=True, **attributes):
    """HDF5 in the layout of Keras 1 and 2: with model_config, or weights alone."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"keras_version": "2.2.4", "backend": "tensorflow", **attributes})
        if full:
            file.attrs["model_config"] = json.dumps(config).encode()
        root = file.create_group("model_weights") if full else file
        root.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{each}:0".encode() for each in arrays] or np.zeros(0, "S1")
            for each, values in arrays.items():
                group[f"{name}/{each}:0"] = values


def write_archive(path, config, weights):
    """A .keras archive in the layout of Keras 3: groups are called after classes, and counted."""
    counts, data = {}, io.BytesIO()
    names = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization", "Dense": "dense", "GaussianNoise": "gaussian_noise"}
    with h5py.File(data, "w") as file:
        for layer in config["config"]["layers"]:
            base = names.get(layer["class_name"], layer["class_name"].lower())
            counts[base] = counts.get(base, -1) + 1
            for i, values in enumerate(weights[layer["name"]].values()):
                file[f"layers/{base}{f'_{counts[base]}' if counts[base] else ''}/vars/{i}"] = values
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.3.3"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", data.getvalue())


def write_safetensors(path, tensors, metadata=None):
    """https://github.com/huggingface/safetensors, by hand."""
    header, values = {"__metadata__": metadata or {}}, b""
    for name, tensor in tensors.items():
        data = np.ascontiguousarray(tensor, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(np.shape(tensor)), "data_offsets": [len(values), len(values) + len(data)]}
        values += data
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + values)
