"""From what has been proved to what is read: printers, the page model, and the pages."""
