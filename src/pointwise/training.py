"""A training loop that can be read in a minute, and what is measured on a network."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy


def train(net, data, *, epochs, optimiser, batch=64, test=None, seed=0, name="training", end="\n"):
    """Train a network on class labels; print one line that counts the epochs.

    Parameters
    ----------
    net : nn.Module
        Turns images of shape (N, C, H, W) into class scores of shape (N, K) or (N, K, H, W).
    data : (images, labels)
        Arrays or tensors; labels of shape (N,) or (N, H, W).
    epochs : int
        Passes through the data.
    optimiser : torch.optim.Optimizer
        Built on the parameters of `net`.
    batch : int
        Images in a step.
    test : (images, labels), optional
        Measured after each epoch, not trained on.
    seed : int
        Of the order of the images. The weights of `net` are the caller's.
    name : str
        What the line says first.
    end : str
        What is printed after the last epoch; "" lets the next line take its place.

    Returns
    -------
    list of dict
        For each epoch the mean "loss" of its steps, nan or inf included, and the "accuracy" on
        `test` if there is one.
    """
    images, labels = map(torch.as_tensor, data)
    order = torch.Generator().manual_seed(seed)
    history = []
    for epoch in range(1, epochs + 1):
        net.train()
        losses = []
        for rows in torch.randperm(len(labels), generator=order).split(batch):
            loss = cross_entropy(net(images[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        history.append({"loss": sum(losses) / len(losses)})
        line = f"{name}: epoch {epoch} of {epochs}, loss {history[-1]['loss']:.4f}"
        if test is not None:
            history[-1]["accuracy"] = accuracy(net, test)
            line += f", accuracy {history[-1]['accuracy']:.3f}"
        print(f"\r{'':78}\r{line}", end="" if epoch < epochs else end, flush=True)
    return history


def accuracy(net, data):
    """Share of labels on which the highest score stands; `net` is left in evaluation mode."""
    images, labels = map(torch.as_tensor, data)
    net.eval()
    with torch.no_grad():
        return float((net(images).argmax(1) == labels).double().mean())


def activity(net, images):
    """Look at what every rectifier of a network lets through.

    Parameters
    ----------
    net : nn.Module
        Left in the mode it is in: with batch normalisation, `net.train()` uses these images' means.
    images : array or tensor of shape (N, C, H, W)

    Returns
    -------
    list of (float, float)
        For each rectifier, in the order of the layers: the share of its outputs above zero; and the
        standard deviation of an output from image to image, averaged over the outputs. The second
        is zero where the layer says the same of every image.
    """
    found = []

    def note(module, inputs, output):
        share = (output > 0).double().mean()
        found.append((float(share), float(output.double().std(dim=0).mean())))

    hooks = [m.register_forward_hook(note) for m in net.modules() if isinstance(m, nn.ReLU)]
    with torch.no_grad():
        net(torch.as_tensor(images))
    for hook in hooks:
        hook.remove()
    return found


def each_seed(name, run, seeds=5):
    """Call `run(seed)`, which returns one number, for seeds 0, 1, …; print them all on one line."""
    values = []
    for seed in range(seeds):
        values.append(run(seed))
        clean_line(name, *(f"{v:.3f}" for v in values), end="")
    print()
    return values


def clean_line(name, *values, end="\n"):
    """Print a name and values in the place of the line that counted epochs."""
    print(f"\r{'':78}\r{name:26}", *values, end=end, flush=True)
