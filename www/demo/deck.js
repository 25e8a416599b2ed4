Reveal.initialize({ hash: true, plugins: [RevealMarkdown, RevealNotes, RevealHighlight] });
