# tests: unit/conf
