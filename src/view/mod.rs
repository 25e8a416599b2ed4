//! Pure view-models: the screen, keys, the picture of layers, texts.
