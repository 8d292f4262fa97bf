module example.com/suite

go 1.24.0
