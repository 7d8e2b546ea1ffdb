# tests: unit/plugins
