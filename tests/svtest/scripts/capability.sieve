require "vnd.example.invented";
keep;
