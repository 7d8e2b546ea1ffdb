# tests: unit/core
