require "fileinto";
fileinto "One";
redirect "away@example.com";
fileinto "Two";
keep;
