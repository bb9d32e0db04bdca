"""The functions of `import fer_core`."""
