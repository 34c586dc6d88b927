"""Published figures for the same images and protocol, none of them measured by this project."""

SOURCE = (
    "K. Zhang, W. Zuo, L. Zhang, “FFDNet: Toward a fast and flexible solution for CNN-based image denoising”,"
    " IEEE TIP 27(9), 2018, tables II and III; DnCNN-B: K. Zhang et al., “Beyond a Gaussian denoiser”, IEEE TIP 26(7),"
    " 2017"
)

# PSNR in dB by set (the name of its folder), method and noise level on the 8-bit scale.
PUBLISHED_PSNR_DB: dict[str, dict[str, dict[int, float]]] = {
    "set12": {
        "BM3D": {15: 32.37, 25: 29.97, 50: 26.72},
        "DnCNN-B": {15: 32.68, 25: 30.36, 50: 27.21},
        "FFDNet": {15: 32.75, 25: 30.43, 50: 27.32},
    },
    "bsd68": {
        "BM3D": {15: 31.08, 25: 28.57, 50: 25.60},
        "DnCNN-B": {15: 31.61, 25: 29.16, 50: 26.23},
        "FFDNet": {15: 31.63, 25: 29.19, 50: 26.29},
    },
}
