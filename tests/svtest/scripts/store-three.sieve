require "fileinto";
fileinto "Three";
