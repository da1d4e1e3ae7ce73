//! Models of torchvision (`tests/reference/torchvision_models.py`): their state dicts have the names and shapes of these
//! networks, so that they load without renaming.

use crate::state_dict::{check_in_folder, infer, names};
use unrolled::prelude::*;

network! {
    /// Two convolutions with a skip connection (He et al., 2016).
    block Basic(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        },
        ReLU,
    }

    /// The same, halving height and width.
    block Halving(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, stride = 2, padding = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        }
        downsample: skip [Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm],
        ReLU,
    }

    struct ResNet18(64x64x3) -> 1000 {
        conv1: Conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false), bn1: BatchNorm, ReLU,
        MaxPool2d(3, stride = 2, padding = 1),
        layer1: [Basic(64), Basic(64)],
        layer2: [Halving(128), Basic(128)],
        layer3: [Halving(256), Basic(256)],
        layer4: [Halving(512), Basic(512)],
        GlobalAvgPool,
        fc: Dense(1000),
    }

    /// Three convolutions, the first and last of which change the number of channels.
    block Bottleneck(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm, ReLU,
            conv3: Conv2d(4 * channels, kernel = 1, bias = false), bn3: BatchNorm,
        },
        ReLU,
    }

    /// The same with another number of channels at its output than at its input.
    block First(channels, stride = 2) {
        Residual {
            conv1: Conv2d(channels, kernel = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, stride = stride, padding = 1, bias = false), bn2: BatchNorm, ReLU,
            conv3: Conv2d(4 * channels, kernel = 1, bias = false), bn3: BatchNorm,
        }
        downsample: skip [Conv2d(4 * channels, kernel = 1, stride = stride, bias = false), BatchNorm],
        ReLU,
    }

    struct ResNet50(64x64x3) -> 1000 {
        conv1: Conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false), bn1: BatchNorm, ReLU,
        MaxPool2d(3, stride = 2, padding = 1),
        layer1: [First(64, stride = 1), _: Repeat(2) { _: Bottleneck(64) }],
        layer2: [First(128), _: Repeat(3) { _: Bottleneck(128) }],
        layer3: [First(256), _: Repeat(5) { _: Bottleneck(256) }],
        layer4: [First(512), _: Repeat(2) { _: Bottleneck(512) }],
        GlobalAvgPool,
        fc: Dense(1000),
    }

    /// A convolution, normalised and activated (Sandler et al., 2018).
    block Normalised(channels, kernel, stride = 1, groups = 1) [
        Conv2d(channels, kernel = kernel, stride = stride, padding = kernel / 2, groups = groups, bias = false),
        BatchNorm,
        ReLU6,
    ]

    /// Widens, filters each channel, and narrows.
    block Inverted(hidden, channels, stride = 1) {
        conv: [
            Normalised(hidden, kernel = 1),
            Normalised(hidden, kernel = 3, stride = stride, groups = hidden),
            Conv2d(channels, kernel = 1, bias = false),
            BatchNorm,
        ],
    }

    /// The same with a skip connection.
    block InvertedResidual(hidden, channels) {
        conv: Residual [
            Normalised(hidden, kernel = 1),
            Normalised(hidden, kernel = 3, groups = hidden),
            Conv2d(channels, kernel = 1, bias = false),
            BatchNorm,
        ],
    }

    /// Without widening.
    block Separable(channels) {
        conv: [Normalised(32, kernel = 3, groups = 32), Conv2d(channels, kernel = 1, bias = false), BatchNorm],
    }

    struct MobileNetV2(64x64x3) -> 1000 {
        features: [
            Normalised(32, kernel = 3, stride = 2),
            Separable(16),
            Inverted(96, 24, stride = 2), InvertedResidual(144, 24),
            Inverted(144, 32, stride = 2), _: Repeat(2) { _: InvertedResidual(192, 32) },
            Inverted(192, 64, stride = 2), _: Repeat(3) { _: InvertedResidual(384, 64) },
            Inverted(384, 96), _: Repeat(2) { _: InvertedResidual(576, 96) },
            Inverted(576, 160, stride = 2), _: Repeat(2) { _: InvertedResidual(960, 160) },
            Inverted(960, 320),
            Normalised(1280, kernel = 1),
        ],
        GlobalAvgPool,
        classifier: [Dropout(0.2), Dense(1000)],
    }

    /// Adds 32 channels to those of its input (Huang et al., 2017).
    block Growth {
        _: Concat {
            {},
            {
                norm1: BatchNorm, ReLU, conv1: Conv2d(128, kernel = 1, bias = false),
                norm2: BatchNorm, ReLU, conv2: Conv2d(32, kernel = 3, padding = 1, bias = false),
            },
        },
    }

    /// Halves height, width and the number of channels.
    block Transition(channels) {
        norm: BatchNorm, ReLU, conv: Conv2d(channels, kernel = 1, bias = false), AvgPool2d(2),
    }

    block Six {
        denselayer1: Growth, denselayer2: Growth, denselayer3: Growth,
        denselayer4: Growth, denselayer5: Growth, denselayer6: Growth,
    }

    block Twelve {
        _: Six,
        denselayer7: Growth, denselayer8: Growth, denselayer9: Growth,
        denselayer10: Growth, denselayer11: Growth, denselayer12: Growth,
    }

    block Sixteen {
        _: Twelve,
        denselayer13: Growth, denselayer14: Growth, denselayer15: Growth, denselayer16: Growth,
    }

    block TwentyFour {
        _: Sixteen,
        denselayer17: Growth, denselayer18: Growth, denselayer19: Growth, denselayer20: Growth,
        denselayer21: Growth, denselayer22: Growth, denselayer23: Growth, denselayer24: Growth,
    }

    struct DenseNet121(64x64x3) -> 1000 {
        features: {
            conv0: Conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false), norm0: BatchNorm, ReLU,
            MaxPool2d(3, stride = 2, padding = 1),
            denseblock1: Six, transition1: Transition(128),
            denseblock2: Twelve, transition2: Transition(256),
            denseblock3: TwentyFour, transition3: Transition(512),
            denseblock4: Sixteen, norm5: BatchNorm,
        },
        ReLU, GlobalAvgPool,
        classifier: Dense(1000),
    }
}

macro_rules! models {
    ($($Network:ident: $name:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let expected = include_str!(concat!("../reference/torchvision/", stringify!($name), ".txt"));
                assert_eq!(names::<$Network>(), expected);
            }
        )*

        #[test]
        #[ignore = "needs weights and outputs of tests/reference/torchvision_models.py; UNROLLED_MODELS names their folder"]
        fn outputs_are_those_of_pytorch() {
            $(check_in_folder::<$Network>(stringify!($name), infer);)*
        }
    };
}

models! {
    ResNet18: resnet18;
    ResNet50: resnet50;
    MobileNetV2: mobilenet_v2;
    DenseNet121: densenet121;
}
