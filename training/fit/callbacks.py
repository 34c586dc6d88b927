"""What happens at the end of an epoch."""

import math
from pathlib import Path

import keras
from tensorboard.summary import Writer

from training.fit.checkpoints import Progress, save_best, save_checkpoint


class KeepProgress(keras.callbacks.Callback):
    """Keeps the weights of the lowest validation loss, and the last epoch's state for resumption.

    If the optimizer averages the weights, their average was validated and is kept. A loss that is not finite ends the
    run with its last good epoch.
    """

    def __init__(self, stage_dir: Path, progress: Progress) -> None:
        super().__init__()
        self.stage_dir = stage_dir
        self.progress = progress

    def on_epoch_end(self, _epoch: int, logs: dict[str, float]) -> None:
        if not math.isfinite(logs["val_loss"]):
            print("the loss is no longer finite: the run ends with its last good epoch", flush=True)
            self.model.stop_training = True
            return
        if logs["val_loss"] < self.progress.best_loss:
            latest = self.model.get_weights()
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
            save_best(self.stage_dir, self.model)
            self.model.set_weights(latest)
        self.progress = self.progress.with_epoch(logs)
        save_checkpoint(self.stage_dir, self.model, self.progress)


class LogScalars(keras.callbacks.Callback):
    """Writes loss and PSNR for TensorBoard; Keras' own callback needs the TensorFlow backend."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.writer = Writer(str(folder))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        for name, value in logs.items():
            self.writer.add_scalar(name, value, epoch + 1)
        self.writer.flush()

    def on_train_end(self, _logs: dict[str, float] | None = None) -> None:
        self.writer.close()
