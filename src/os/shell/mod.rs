//! The shell: grammar, expansion, interpreter, built-ins, line editor.
