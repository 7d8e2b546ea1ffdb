# tests: system/system
