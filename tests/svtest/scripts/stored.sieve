require "fileinto";
fileinto "Stored";
