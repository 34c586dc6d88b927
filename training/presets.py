"""The networks that ``python -m training train`` offers, by name."""

from training.config import Adadelta, AdamW, Config, Crops, Interface, Muon, NoiseLevelRange, Stage
from training.images.augmentation import RandomAffine
from training.images.camera import CameraNoise
from training.images.mixture import MixedNoise
from training.images.noise import BlindNoise, GaussianNoise, NoNoise, RandomLevelNoise

CONFIGS = (
    Config(
        preset="article",
        task="digits",
        architecture="article",
        description="Handwritten digits, 28x28, trained for Gaussian noise 0.4: the small convolutional autoencoder"
        " of the well-known article",
        interface=Interface(polarity="light-on-dark"),
        note="A plain autoencoder first, then a denoiser that starts from its weights.",
        stages=(
            Stage("plain", NoNoise(), epochs=50, optimizer=Adadelta(1.0)),
            Stage(
                "default-rate",
                NoNoise(),
                epochs=10,
                optimizer=Adadelta(0.001),
                lesson="Adadelta needs a learning rate of 1.0: ten epochs with Keras' default of 0.001, the stage"
                " default-rate, end far above the loss that a single epoch with 1.0 reaches.",
            ),
            Stage("denoise", GaussianNoise(0.4), epochs=100, optimizer=Adadelta(1.0), start_from="plain"),
        ),
    ),
    Config(
        preset="dense",
        task="digits",
        architecture="dense",
        description="Handwritten digits, 28x28, trained for Gaussian noise 0.4: a fully connected autoencoder that does"
        " not know which pixels are neighbours",
        interface=Interface(polarity="light-on-dark"),
        note="For comparison only: what it costs to lose the neighbourhood of pixels.",
        stages=(Stage("denoise", GaussianNoise(0.4), epochs=30, optimizer=AdamW(1e-3)),),
    ),
    Config(
        preset="digits",
        task="digits",
        architecture="digits",
        description="Handwritten digits, 28x28, blind to the kind and strength of the noise",
        interface=Interface(polarity="light-on-dark"),
        note="Every image gets its own kind and strength of noise. Half of the images are turned, scaled, sheared and"
        " shifted a little in the first 60 % of the epochs of the first stage; in the second, more have Gaussian noise."
        " The exported weights are an exponential average.",
        precision="mixed_bfloat16",
        stages=(
            Stage(
                "denoise",
                BlindNoise(),
                epochs=68,
                optimizer=AdamW(3e-3),
                augmentation=RandomAffine(),
                measured_noise=GaussianNoise(0.4),
            ),
            Stage(
                "settle",
                BlindNoise(gaussian=0.85, salt_and_pepper=0.08, speckle=0.03),
                epochs=16,
                optimizer=AdamW(1e-3),
                start_from="denoise",
                measured_noise=GaussianNoise(0.4),
            ),
        ),
    ),
    Config(
        preset="photo",
        task="photos",
        architecture="photo",
        description="Photographs and scans of any size, gray and in colour: white noise, and that of cameras",
        interface=Interface(
            noise_level=NoiseLevelRange(0.0, 75 / 255),
            size_multiple=8,
            halo_px=72,  # of a receptive radius of 88: farther pixels changed none by a thousandth of a level
        ),
        note="Gray images have a U-Net of their own; it cleans the luma of coloured ones, too, beside which a small"
        " network cleans chroma. There are two of both, for white noise and for any. Crops of clean photographs, turned"
        " and mirrored; each gets noise of its own level, which the network takes as an input. The mean absolute error"
        " converges fast. Then the logarithm of the squared error is minimised, which is PSNR: every level counts the"
        " same, and luma as much as all channels together. The exported weights are an exponential average.",
        data="photos+bsds400",
        crops=Crops(),
        precision="mixed_bfloat16",
        batch_size=8,
        stages=(
            Stage(
                "denoise",
                RandomLevelNoise(),
                epochs=30,
                optimizer=Muon(3e-3),
                loss="mean_absolute_error",
                part="white-gray",
            ),
            Stage(
                "white-gray",
                RandomLevelNoise(),
                epochs=30,
                optimizer=Muon(1e-3),
                loss="log_mean_squared_error",
                start_from="denoise",
                part="white-gray",
            ),
            Stage(
                "gray",
                MixedNoise(camera_share=0.55),
                epochs=40,
                optimizer=Muon(1e-3),
                loss="log_mean_squared_error",
                start_from="white-gray",
                part="gray",
                copy_of="white-gray",
            ),
            Stage(
                "white-colour",
                RandomLevelNoise(),
                epochs=10,
                optimizer=Muon(3e-3),
                loss="log_mean_squared_error",
                start_from="gray",
                part="white-colour",
            ),
            Stage(
                "colour",
                MixedNoise(camera_share=0.5, camera=CameraNoise(monochrome=0)),
                epochs=10,
                optimizer=Muon(3e-3),
                loss="log_mean_squared_error",
                start_from="white-colour",
                part="colour",
            ),
        ),
    ),
)
PRESETS = {config.preset: config for config in CONFIGS}
